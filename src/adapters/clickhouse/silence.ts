/**
 * Tells a store that is busy from one that hangs. A long statement sends nothing until it is done, so its silence says
 * nothing; but a store that lives answers a ping meanwhile. As long as there are requests it is asked, and when nothing
 * at all has been heard of it for too long, it is silent.
 */
export type SilenceWatch = {
  /** A request begins, and is told of by `ended`. */
  began(): void;
  ended(): void;
  /** The store has answered something. */
  heard(): void;
};

export function watchSilence(parts: {
  readonly silentMsMax: number;
  readonly pingMsMax: number;
  /** Rejects or resolves false when there is no answer. */
  readonly ping: () => Promise<boolean>;
  /** Once every `silentMsMax`, as long as it lasts. */
  readonly onSilent: () => void;
}): SilenceWatch {
  const { silentMsMax, pingMsMax, ping, onSilent } = parts;
  let requests = 0;
  let asking: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;

  const heard = (): void => void patience?.refresh();

  async function ask(): Promise<void> {
    if (await ping().catch(() => false)) heard();
  }

  return {
    began() {
      requests += 1;
      if (requests > 1) return;
      asking = setInterval(() => void ask(), pingMsMax);
      patience = setInterval(onSilent, silentMsMax);
    },
    ended() {
      requests -= 1;
      if (requests > 0) return;
      clearInterval(asking);
      clearInterval(patience);
      patience = undefined;
    },
    heard,
  };
}
