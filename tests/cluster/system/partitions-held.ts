/** How many partitions of a group's topic a process says it holds; null before it has joined, or when it does not answer. */
import type { RoleProcess } from './role-process.ts';

export async function partitionsHeld(process: RoleProcess, group: string): Promise<number | null> {
  if (process.hasEnded()) return null;
  const answer = await fetch(`${await process.url()}/metrics`).catch(() => null);
  const text = (await answer?.text()) ?? '';
  const line = text.split('\n').find((each) => each.startsWith(`foretill_log_partitions{group="${group}"}`));
  return line === undefined ? null : Number(line.split(' ')[1]);
}
