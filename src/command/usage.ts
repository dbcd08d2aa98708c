/** The command was called in a wrong way: a flag, a variable or an argument. Its exit code is 2. [RUN-2] */
export class UsageError extends Error {}

/** Turns the error for a value that is out of bounds into one for the person who set it. */
export function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
