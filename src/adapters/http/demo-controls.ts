/** What the page may do to a demonstration: change its speed, and bring things about in a simulated chain. */

/** One field of an event; `store` and `category` are chosen from those there are. */
export type EventParameter = {
  readonly name: string;
  readonly label: string;
  readonly kind: 'store' | 'category' | 'number';
  /** Of stores and categories: one must be chosen; else left out means all. */
  readonly required?: boolean;
  /** For numbers. */
  readonly min?: number;
  readonly max?: number;
  readonly unit?: string;
  readonly initial?: string | number;
};

export type InjectableEvent = {
  /** e.g. `promotion`, `stock-out`, `demand-shift`, `offline-till`, `duplicates` */
  readonly kind: string;
  /** What the button says. */
  readonly label: string;
  /** What it does, in one sentence. */
  readonly description: string;
  readonly parameters: readonly EventParameter[];
};

export type InjectedEvent = {
  readonly id: string;
  readonly kind: string;
  /** e.g. `Promotion: BREAD in all stores, +60 %` */
  readonly label: string;
  readonly startedMs: number;
  /** On the demonstration's own clock; null: until it is stopped. */
  readonly endsMs: number | null;
};

export type DemoControls = {
  /** e.g. `Simulated chain of 12 stores`, `Real till lines: Complete Journey 2017` */
  readonly label: string;
  readonly simulated: boolean;
  /** The demonstration's own clock. */
  nowMs(): number;
  /** How much faster than real time. */
  speed(): number;
  readonly speeds: readonly number[];
  setSpeed(speed: number): void;
  /** Of a replay, 0 to 1; null where there is no end. */
  progress(): number | null;
  /** Empty for a replay. */
  readonly injectable: readonly InjectableEvent[];
  /** Throws INPUT_INVALID for an unknown kind or parameters that do not fit. */
  inject(kind: string, parameters: Readonly<Record<string, string | number>>): InjectedEvent;
  active(): readonly InjectedEvent[];
  /** Ends an event early; false when it is not active. */
  stop(id: string): boolean;
};
