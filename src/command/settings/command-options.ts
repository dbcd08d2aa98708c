import type { LogFormat, LogLevel } from "../log-options.ts";

/** What only a process has. */
export interface CommandOptions {
  readonly host: string;
  readonly port: number;
  readonly store: string;
  readonly storeSync: boolean;
  readonly bus: string | null;
  readonly busPrefix: string | null;
  readonly busSecret: string | null;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
}
