/** What is written to a log: pino's loggers are of this shape, and many others. Neither tokens nor keys are ever in it. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Writes nothing. */
export const noLog: Log = { info() {}, warn() {}, error() {} };
