/** What becomes of errors in code that is not ours: listeners, observers, functions of the application. */

/** Hands on an error of the application: to `reportError` as a browser does, or to the console where there is none. */
export function report(error: unknown): void {
  const tell = globalThis.reportError ?? console.error;
  tell(error);
}

/** Runs code of the application. What it throws is reported, and the caller goes on. */
export function guarded(run: () => void, onError: (error: unknown) => void = report): void {
  try {
    run();
  } catch (error) {
    onError(error);
  }
}
