/** What a demonstration says while it runs: a status line on a terminal, a line now and then elsewhere. */
export type ScreenFigures = {
  readonly nowMs: number;
  readonly speed: number;
  /** Since the start. */
  readonly tickets: number;
  readonly forecasts: number;
};

export type Screen = {
  /** A line that stays. */
  say(text: string): void;
  stop(): void;
};

const TERMINAL_EVERY_MS = 1_000;
const LINES_EVERY_MS = 10_000;

export function startScreen(options: {
  readonly terminal: boolean;
  readonly timeZone: string;
  readonly figures: () => Promise<ScreenFigures>;
  readonly write?: (text: string) => void;
}): Screen {
  const write = options.write ?? ((text: string) => void process.stdout.write(text));
  const { terminal } = options;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: options.timeZone,
    weekday: 'short',
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  let before: (ScreenFigures & { readonly atMs: number }) | null = null;
  let busy = false;

  async function show(): Promise<void> {
    if (busy) return;
    busy = true;
    const now = await options.figures().catch(() => null);
    busy = false;
    if (now === null) return;
    const atMs = performance.now();
    if (before === null) {
      before = { ...now, atMs };
      return;
    }
    const seconds = Math.max(0.001, (atMs - before.atMs) / 1_000);
    const last = before;
    const rate = (name: 'tickets' | 'forecasts') => (now[name] - last[name]) / seconds;
    const line = `${format.format(now.nowMs)}  ${now.speed}×  ${rate('tickets').toFixed(1)} tickets/s  ${Math.round(rate('forecasts'))} forecasts/s  ${now.tickets.toLocaleString('en')} tickets`;
    write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
    before = { ...now, atMs };
  }

  void show();
  const timer = setInterval(() => void show(), terminal ? TERMINAL_EVERY_MS : LINES_EVERY_MS);
  return {
    say: (text) => write(terminal ? `\r\u001b[K${text}\n` : `${text}\n`),
    stop() {
      clearInterval(timer);
      if (terminal) write('\r\u001b[K');
    },
  };
}
