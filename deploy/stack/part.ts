/** What every part of the stack has in common, whatever program it is. */
import type { Service } from './service.ts';

export type PartName = 'kafka' | 'registry' | 'store' | 'alertmanager' | 'prometheus';

export type PartContext = {
  /** Of the part alone. */
  readonly dir: string;
  readonly port: number;
  /** Where the other parts listen, or will. */
  readonly ports: Readonly<Record<PartName, number>>;
  readonly tell: (line: string) => void;
  readonly onSpawn: (pid: number) => void;
};

export type Part = {
  readonly name: PartName;
  readonly title: string;
  /** The port everybody expects. */
  readonly usualPort: number;
  /** Why it cannot run here, with how to change that; null when it can. Only parts that can be done without say so. */
  lacking(): string | null;
  address(port: number): string;
  logFile(dir: string): string;
  isReady(port: number): Promise<boolean>;
  /** Resolves when it is ready; it outlives this process. */
  start(context: PartContext): Promise<Service>;
};
