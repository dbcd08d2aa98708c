/** What `copresence --help` prints. [RUN-9] */
import type { OptionSpec } from "../../relay/option.ts";
import { HEADINGS, type Heading } from "./headings.ts";
import { everySetting } from "./specs.ts";

/** A flag with its value, and what it is for. */
type Row = readonly [flag: string, text: string];

/** What is no option of a relay, nor of its process. */
const OTHERS: { readonly [heading in Heading]?: readonly Row[] } = {
  Operate: [
    ["--config FILE", "a JSON file that sets any of these; flags and variables win (COPRESENCE_CONFIG)"],
    ["--help, -h", "this text"],
    ["--version, -v", "the version"],
  ],
};

function rowOf(name: string, spec: OptionSpec): Row {
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
  const sections = HEADINGS.map((heading) => {
    const settings = everySetting.filter((setting) => setting.heading === heading);
    return {
      heading,
      rows: [...settings.map(({ flag, spec }) => rowOf(`--${flag}`, spec)), ...(OTHERS[heading] ?? [])],
    };
  });
  const width = Math.max(...sections.flatMap(({ rows }) => rows.map(([flag]) => flag.length)));
  return [
    "Usage: copresence [options]",
    "       copresence drain [http://HOST:PORT]      sends a relay's clients to the others; see copresence drain --help",
    "       copresence verify ws://HOST:PORT/ROOM    says which rules a server keeps; see copresence verify --help",
    "       copresence store SUBCOMMAND [options]    what can be done with stored documents: copresence store --help",
    "",
    "A presence relay for Yjs apps. Clients dial ws://HOST:PORT/<room>.",
    "",
    ...sections.flatMap(({ heading, rows }) => [
      `${heading}:`,
      ...rows.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
      "",
    ]),
    "Each is a variable, too: --ping-interval is COPRESENCE_PING_INTERVAL, and in a file of --config it is",
    '"pingInterval". --no-lobby-rooms is --lobby-rooms false. Flags for lists may be repeated.',
    "",
  ].join("\n");
}
