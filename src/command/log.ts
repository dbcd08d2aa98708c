/** The log of the command: one line for each thing that happened, on standard error. [SEE-3] */
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { LogFormat, LogLevel } from "./log-options.ts";

const STDERR = 2;

/** @param format `pretty` for people, `json` for programs */
export function createLog(format: LogFormat, level: LogLevel): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === "json") return pino(options, pino.destination({ dest: STDERR, sync: true }));
  const stream = pretty({
    destination: STDERR,
    sync: true,
    singleLine: true,
    colorize: process.stderr.isTTY,
    ignore: "time,level",
    messageFormat: "copresence: {msg}",
  });
  return pino(options, stream);
}
