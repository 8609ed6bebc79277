/** The table `model_state`: a shard's memory in parts, a generation per checkpoint. */
import type { Store, Table } from './client.ts';
import { insertInChunks } from './insert-in-chunks.ts';

export type Checkpoint = {
  readonly generation: number;
  /** The place in the bucket topic from which a restart goes on. */
  readonly nextOffset: number;
  readonly data: Buffer;
};

/** Of whom a checkpoint is, and in what arrangement of memory: another layout's is not read. */
export type CheckpointPlace = { readonly shard: number; readonly layout: string };

const MODEL_STATE: Table = {
  name: 'model_state',
  columns: ['shard', 'generation', 'part', 'parts', 'layout', 'next_offset', 'data', 'recorded_at'],
};
const PART_BYTES = 1_048_576;
const PARTS_PER_STATEMENT = 16;
const READ_ATTEMPTS_MAX = 5;

/** Resolves when all its parts are stored; until then `readCheckpoint` gives the one before. */
export async function writeCheckpoint(
  store: Store,
  place: CheckpointPlace,
  checkpoint: Checkpoint & { readonly recordedAtMs: number },
): Promise<void> {
  const { data } = checkpoint;
  const parts = Math.max(1, Math.ceil(data.length / PART_BYTES));
  for (let first = 0; first < parts; first += PARTS_PER_STATEMENT) {
    const rows = [];
    for (let part = first; part < Math.min(parts, first + PARTS_PER_STATEMENT); part++) {
      rows.push([
        place.shard,
        checkpoint.generation,
        part,
        parts,
        place.layout,
        checkpoint.nextOffset,
        data.toString('base64', part * PART_BYTES, Math.min(data.length, (part + 1) * PART_BYTES)),
        checkpoint.recordedAtMs,
      ]);
    }
    const token = `state:${place.shard}:${checkpoint.generation}:${checkpoint.recordedAtMs}:${first}`;
    await insertInChunks(store, MODEL_STATE, rows, { token, rowsMax: PARTS_PER_STATEMENT });
  }
}

/** Of any layout, complete or not; 0 when there is none. */
export async function lastGeneration(store: Store, shard: number): Promise<number> {
  const [found] = await store.query<{ generation: number }>(
    'SELECT max(generation) AS generation FROM model_state WHERE shard = {shard:UInt32}',
    { shard },
  );
  return found?.generation ?? 0;
}

/**
 * The latest complete generation of this layout that stands within these offsets, or null. One that is dropped while it
 * is being read, by the member that has written a later one, gives way to that one.
 */
export async function readCheckpoint(
  store: Store,
  place: CheckpointPlace,
  offsets: { readonly from: number; readonly to: number } = { from: 0, to: Number.MAX_SAFE_INTEGER },
): Promise<Checkpoint | null> {
  for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt += 1) {
    const found = await findCheckpoint(store, place, offsets);
    if (found === null) return null;
    const data = await readParts(store, place.shard, found);
    if (data !== null) return { generation: found.generation, nextOffset: found.nextOffset, data };
  }
  return null;
}

type Found = { readonly generation: number; readonly nextOffset: number; readonly parts: number };

async function findCheckpoint(
  store: Store,
  place: CheckpointPlace,
  offsets: { readonly from: number; readonly to: number },
): Promise<Found | null> {
  const [found] = await store.query<{ generation: number; next_offset: number; parts: number }>(
    `SELECT generation, any(model_state.next_offset) AS next_offset, max(model_state.parts) AS parts FROM model_state
     WHERE shard = {shard:UInt32} AND layout = {layout:String}
       AND model_state.next_offset BETWEEN {from:UInt64} AND {to:UInt64}
     GROUP BY generation HAVING uniqExact(part) = max(model_state.parts)
     ORDER BY generation DESC LIMIT 1`,
    { ...place, ...offsets },
  );
  if (found === undefined) return null;
  return { generation: found.generation, nextOffset: found.next_offset, parts: found.parts };
}

/** Null when some are gone meanwhile. */
async function readParts(store: Store, shard: number, { generation, parts }: Found): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  for (let first = 0; first < parts; first += PARTS_PER_STATEMENT) {
    const rows = await store.query<{ data: string }>(
      `SELECT data FROM model_state
       WHERE shard = {shard:UInt32} AND generation = {generation:UInt64}
         AND part >= {first:UInt32} AND part < {before:UInt32}
       ORDER BY part LIMIT 1 BY part`,
      { shard, generation, first, before: first + PARTS_PER_STATEMENT },
    );
    for (const { data } of rows) chunks.push(Buffer.from(data, 'base64'));
  }
  return chunks.length === parts ? Buffer.concat(chunks) : null;
}

/** Drops the shard's generations before this one that stand no further, complete or not, of every layout. */
export async function dropCheckpointsBefore(
  store: Store,
  shard: number,
  { generation, nextOffset }: Pick<Checkpoint, 'generation' | 'nextOffset'>,
): Promise<void> {
  const old = await store.query<{ generation: number }>(
    `SELECT DISTINCT generation FROM model_state
     WHERE shard = {shard:UInt32} AND generation < {generation:UInt64} AND next_offset <= {nextOffset:UInt64}
     ORDER BY generation`,
    { shard, generation, nextOffset },
  );
  for (const { generation: dropped } of old) {
    await store.command('ALTER TABLE model_state DROP PARTITION ({shard:UInt32}, {generation:UInt64})', {
      shard,
      generation: dropped,
    });
  }
}
