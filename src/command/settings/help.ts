/** What `copresence --help` prints. */
import type { OptionSpec } from "../../relay/option.ts";
import { everySetting } from "./specs.ts";

function rowOf(name: string, spec: OptionSpec): [string, string] {
  switch (spec.kind) {
    case "number": {
      if (spec.unit === "port") return [`${name} PORT`, `${spec.help} (${spec.default}; PORT)`];
      const unit = spec.unit === "count" ? "" : ` ${spec.unit}`;
      return [`${name} N`, `${spec.help} (${spec.default}${unit})`];
    }
    case "flag":
    case "hops":
      return [spec.kind === "hops" ? `${name} [N]` : name, `${spec.help} (${spec.default})`];
    case "choice":
      return [`${name} ${spec.value}`, `${spec.help}: ${spec.words.join(", ")} (${spec.default})`];
    case "text":
    case "list":
      return [`${name} ${spec.value}`, spec.help];
  }
}

export function helpText(): string {
  const all: [string, string][] = [
    ["--config FILE", "a JSON file that sets any of these; flags and variables win (COPRESENCE_CONFIG)"],
    ...everySetting.map(({ flag, spec }) => rowOf(`--${flag}`, spec)),
    ["--help, -h", "this text"],
    ["--version, -v", "the version"],
  ];
  const width = Math.max(...all.map(([flag]) => flag.length));
  return [
    "Usage: copresence [options]",
    "       copresence drain [http://HOST:PORT]      sends a relay's clients to the others; see copresence drain --help",
    "       copresence verify ws://HOST:PORT/ROOM    says which rules a server keeps; see copresence verify --help",
    "       copresence store SUBCOMMAND [options]    what can be done with stored documents: copresence store --help",
    "",
    "A presence relay for Yjs apps. Clients dial ws://HOST:PORT/<room>.",
    "",
    ...all.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
    "",
    "Each is a variable, too: --ping-interval is COPRESENCE_PING_INTERVAL, and in a file of --config it is",
    '"pingInterval". --no-lobby-rooms is --lobby-rooms false. Flags for lists may be repeated.',
    "",
  ].join("\n");
}
