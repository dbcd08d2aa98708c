/** Waits: for a store that failed, and for what may take too long. */

/** How long to wait after a failure, ms: at first, and at most. */
const RETRY_MS = 250;
const MAX_RETRY_MS = 10_000;

/** @param failures how many there were in a row before this one */
export function backOff(failures: number): number {
  return Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(failures, 10));
}

/** Resolves after so many ms, or once the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** Resolves with a promise, or after so many ms. */
export async function atMost(ms: number, promise: Promise<void> | undefined): Promise<void> {
  if (promise === undefined) return;
  const waiting = new AbortController();
  await Promise.race([promise, pause(ms, waiting.signal)]);
  waiting.abort();
}

/** What is asked to end and does not answer for so long hangs, ms: a relay that stops goes on without it. [STORE-48] */
export const ENDING_MS = 10_000;

/** Waits for something to end, and calls back where it fails, or has not ended in time: all else is to end all the same. [RUN-11] [STORE-48] */
export async function endsInTime(
  ended: Promise<void> | undefined,
  onTrouble: (trouble: unknown) => void,
): Promise<void> {
  let isLate = true;
  const settled = ended?.catch(onTrouble).finally(() => (isLate = false));
  await atMost(ENDING_MS, settled);
  if (settled !== undefined && isLate) onTrouble(new Error("it does not answer, and is not waited for any more"));
}
