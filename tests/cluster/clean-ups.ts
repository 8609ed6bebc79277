/**
 * What a test has opened is closed after it, the last first; each of it, also when the test could not open the rest and
 * when something else does not close.
 */
import { afterEach } from 'vitest';

type CleanUp = () => Promise<unknown> | void;

/** To be called once a file; what is handed to the result is done after the test. */
export function cleanUpsAfterEach(): (cleanUp: CleanUp) => void {
  const cleanUps: CleanUp[] = [];
  afterEach(() => doAll(cleanUps.splice(0).reverse()));
  return (cleanUp) => void cleanUps.push(cleanUp);
}

/** One after another; rejects with what the first that failed said, after the last. */
export async function doAll(cleanUps: readonly CleanUp[]): Promise<void> {
  const errors: unknown[] = [];
  for (const cleanUp of cleanUps) {
    try {
      await cleanUp();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
