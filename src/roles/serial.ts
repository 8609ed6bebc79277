/** Runs tasks one after another in the order they came: a role's batches and its timer never work on state at once. */
export type Serial = {
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Tasks waiting or at work. */
  pending(): number;
};

export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  let pending = 0;
  return {
    run(task) {
      pending += 1;
      const next = last.then(task, task).finally(() => {
        pending -= 1;
      });
      last = next.catch(() => {});
      return next;
    },
    pending: () => pending,
  };
}
