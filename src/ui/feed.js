// @ts-check
/**
 * The connection to the feed. It comes back by itself, first at once, then after a rising pause, and goes on where it
 * was: the server sends what was missed, or a fresh snapshot.
 */

/** @typedef {import('./types.d.ts').FeedMessage} FeedMessage */
/** @typedef {Record<string, string | string[]>} Filter */

const PAUSE_MS = [0, 500, 1_000, 2_000, 5_000];
/** The server says something every second; after this long without a word the connection is given up. */
const SILENCE_MS = 20_000;

/**
 * @param {{ onMessage: (message: FeedMessage) => void, onState: (state: 'connecting' | 'live' | 'lost') => void }} handlers
 */
export function connectFeed({ onMessage, onState }) {
  /** @type {Map<string, { filter: Filter, seen: boolean }>} */
  const subscriptions = new Map();
  /** @type {WebSocket | null} */
  let socket = null;
  let failures = 0;
  let epoch = '';
  let seq = 0;
  let heardMs = 0;

  /** @param {unknown} message */
  const say = (message) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };

  /** @param {string} id */
  const subscribe = (id) => {
    const subscription = subscriptions.get(id);
    if (subscription === undefined) return;
    const resume = subscription.seen ? { resume: { epoch, seq } } : {};
    say({ type: 'subscribe', id, filter: subscription.filter, ...resume });
  };

  /** @param {FeedMessage} message */
  const take = (message) => {
    if (message.type === 'snapshot' || message.type === 'resumed') {
      epoch = message.epoch;
      const subscription = subscriptions.get(message.id);
      if (subscription !== undefined && (message.type === 'resumed' || message.final))
        subscription.seen = true;
    }
    if ('seq' in message) seq = Math.max(seq, message.seq);
    onMessage(message);
  };

  const open = () => {
    onState(failures === 0 ? 'connecting' : 'lost');
    const opened = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/feed`);
    socket = opened;
    heardMs = performance.now();
    opened.addEventListener('open', () => {
      failures = 0;
      onState('live');
      for (const id of subscriptions.keys()) subscribe(id);
    });
    opened.addEventListener('message', ({ data }) => {
      heardMs = performance.now();
      const message = /** @type {FeedMessage} */ (JSON.parse(data));
      // Another process: its numbers begin anew.
      if ('epoch' in message && message.epoch !== epoch) seq = 0;
      take(message);
    });
    opened.addEventListener('close', () => {
      if (socket !== opened) return;
      onState('lost');
      setTimeout(open, PAUSE_MS[Math.min(failures, PAUSE_MS.length - 1)]);
      failures += 1;
    });
  };

  setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN && performance.now() - heardMs > SILENCE_MS) socket.close();
  }, 1_000);
  open();

  return {
    /** @param {string} id @param {Filter} filter */
    subscribe(id, filter) {
      subscriptions.set(id, { filter, seen: false });
      subscribe(id);
    },
  };
}
