/** Runs a program of the tests in a process of its own and talks to it over the process channel. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Program<Answer> = { readonly process: ChildProcess; readonly first: Answer };

/** Resolves with the program's first message; rejects with what it printed when it ends before. */
export async function runProgram<Answer>(file: URL, args: readonly string[]): Promise<Program<Answer>> {
  const child = fork(fileURLToPath(file), args, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let printed = '';
  child.stderr!.on('data', (text: Buffer) => {
    printed += text.toString();
  });
  const first = await new Promise<Answer>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Answer));
    child.once('exit', (code) => reject(new Error(`${file.pathname} ended with ${code}: ${printed}`)));
  });
  return { process: child, first };
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}
