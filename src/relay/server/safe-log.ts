import type { Log } from "../ports/log.ts";
import { type ErrorListener, callListener } from "../util/report.ts";

/** A log that never throws: what that of the application throws, or rejects with, is reported. [RUN-11] */
export function safeLog(log: Log, onError: ErrorListener): Log {
  const safe =
    (level: keyof Log) =>
    (fields: object, message: string): void =>
      callListener(
        () => log[level](fields, message) as unknown,
        null,
        (error) => onError(error, "the log"),
      );
  return { info: safe("info"), warn: safe("warn"), error: safe("error") };
}
