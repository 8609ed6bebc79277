/** The series of a protocol, from its file below a root directory. */
import { join } from 'node:path';
import { openTable } from '../adapters/csv/open-table.ts';
import type { RowProblems } from '../adapters/csv/row-problems.ts';
import { subset } from './panel.ts';
import type { Panel } from './panel.ts';
import type { Protocol } from './protocol.ts';
import { readPanel } from './read-panel.ts';
import type { PanelReading } from './read-panel.ts';
import { demandSameData } from './read-protocol.ts';

export async function protocolPanel(
  { data }: Protocol,
  root: string,
  problems: RowProblems,
): Promise<PanelReading> {
  const table = await openTable(join(root, data.file));
  await demandSameData(table.path, data.sha256);
  const columns = {
    id: 'unique_id',
    time: 'ds',
    target: 'y',
    split: null,
    known: data.known,
    past: [],
  };
  const reading = await readPanel({
    table,
    columns,
    frequency: data.frequency,
    dateOrder: 'iso',
    problems,
  });
  const panel: Panel = data.seriesMax === null ? reading.panel : subset(reading.panel, data.seriesMax);
  return { ...reading, panel };
}
