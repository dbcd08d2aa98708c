/** What goes wrong in code of the application, or at the edges, is reported and goes no further. */

/**
 * Told what went wrong.
 *
 * @param where in what: `authenticate`, `a listener of "join"`, …
 */
export type ErrorListener = (error: unknown, where: string) => void;

const REPORT_MS = 1_000;

/** One that never throws, whatever the application's does. */
export function safeReporter(onError: ErrorListener): ErrorListener {
  return (error, where) => {
    try {
      swallow(onError(error, where));
    } catch {
      // the listener was to be told of an error: its own is told to nobody
    }
  };
}

/** The default: to the console. [HTTP-12] */
export function consoleReporter(): ErrorListener {
  return oncePerSecond((error, where) => console.error(`copresence: ${where} failed:`, error));
}

/** For each place at most once a second: any client can bring about errors, and is not to fill the log with them. */
export function oncePerSecond(report: ErrorListener, now = (): number => performance.now()): ErrorListener {
  const reportedAt = new Map<string, number>();
  return (error, where) => {
    if (now() - (reportedAt.get(where) ?? -Infinity) < REPORT_MS) return;
    reportedAt.set(where, now());
    report(error, where);
  };
}

/** Calls a listener of the application. What it throws, or rejects with later, is reported. */
export function callListener<Event>(
  listener: (event: Event) => unknown,
  event: Event,
  onError: (error: unknown) => void,
): void {
  try {
    const result = listener(event);
    if (result instanceof Promise) result.catch(onError);
  } catch (error) {
    onError(error);
  }
}

/** An `async` function may be given where nothing is waited for. */
function swallow(result: unknown): void {
  if (result instanceof Promise) result.catch(() => {});
}
