#!/usr/bin/env node
/** `copresence`: a relay on one port, from the command line. */
import { UsageError } from "./command/usage.ts";
import { reasonOf } from "./relay/util/reason.ts";

/** Reads what follows its name, and resolves to the exit code. */
type Command = (args: readonly string[]) => Promise<number>;

/** What there is besides serving, by its first word: each in a folder of its own, loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  drain: async () => (await import("./command/drain.ts")).runDrain,
  store: async () => (await import("./command/store/run.ts")).runStore,
  verify: async () => (await import("./verify/command.ts")).runVerify,
};

const args = process.argv.slice(2);
/** The subcommand that is called, by its first word; none: it serves. */
const [name = ""] = args;
const load = Object.hasOwn(commands, name) ? commands[name] : undefined;

async function main(): Promise<void> {
  if (load !== undefined) {
    const run = await load();
    process.exitCode = await run(args.slice(1));
    return;
  }
  // until there is a relay there is nobody to tell and nothing to close [RUN-1]
  let stop: () => void = () => process.exit(0);
  process.on("SIGTERM", () => stop()).on("SIGINT", () => stop());
  const { serve } = await import("./command/serve.ts");
  await serve(args, (stopRelay) => (stop = stopRelay));
}

main().catch((error: unknown) => {
  const message = reasonOf(error);
  const help = `Try copresence ${load === undefined ? "" : `${name} `}--help.\n`;
  process.stderr.write(`copresence: ${message}\n${error instanceof UsageError ? help : ""}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
