/** What runs in a group of processes: whoever leads it, and all that it has started, also when the leader is gone. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The command line of each. Those that have ended and only wait to be collected do not count. */
export function processesOf(group: number): string[] {
  return existsSync('/proc/self/stat') ? fromProc(group) : fromPs(group);
}

/** The 5th field of /proc/PID/stat; proc(5). Names may hold spaces and brackets. */
function fromProc(group: number): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(itsGroup) !== group) return [];
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return line === '' ? [] : [line];
    } catch {
      return [];
    }
  });
}

function fromPs(group: number): string[] {
  return execFileSync('ps', ['-A', '-o', 'pgid=,state=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((text) => {
      const [, itsGroup, state = '', line = ''] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(text) ?? [];
      return Number(itsGroup) === group && !state.startsWith('Z') ? [line] : [];
    });
}
