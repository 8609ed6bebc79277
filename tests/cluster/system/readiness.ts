/** What a process says when it is asked whether it can do its work. */
import { eventually } from '../../system/live-process.ts';
import type { RoleProcess } from './role-process.ts';

const ASKED_MS_MAX = 60_000;

/** Resolves with what it says as soon as it says that it cannot. */
export async function heldUp(process: RoleProcess): Promise<string> {
  const url = await process.url();
  return eventually(
    `role ${process.role} says that it is held up`,
    async () => {
      const answer = await fetch(`${url}/ready`);
      return answer.ok ? null : answer.text();
    },
    ASKED_MS_MAX,
  );
}
