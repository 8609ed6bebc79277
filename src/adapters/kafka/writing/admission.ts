/**
 * Lets work begin in the order it came, as long as the bytes of what is under way are not too many. What is larger than
 * that by itself waits until it is alone.
 */
export type Admission = {
  enter(bytes: number): Promise<void>;
  /** With the bytes it came in with. */
  leave(bytes: number): void;
};

export function createAdmission(bytesMax: number): Admission {
  const waiting: { readonly bytes: number; readonly begin: () => void }[] = [];
  let bytesUnderWay = 0;

  function admit(): void {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (bytesUnderWay > 0 && bytesUnderWay + next.bytes > bytesMax) break;
      bytesUnderWay += next.bytes;
      waiting.shift();
      next.begin();
    }
  }

  return {
    enter: (bytes) =>
      new Promise((begin) => {
        waiting.push({ bytes, begin });
        admit();
      }),
    leave(bytes) {
      bytesUnderWay -= bytes;
      admit();
    },
  };
}
