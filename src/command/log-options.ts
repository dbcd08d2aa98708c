/** What can be said about the log of the command. Apart from the log itself, so that `--help` loads no logger. */

export const LOG_FORMATS = ["pretty", "json"] as const;
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

export type LogFormat = (typeof LOG_FORMATS)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What went wrong, and nothing of what goes well. */
export const DEFAULT_LEVEL: LogLevel = "warn";
