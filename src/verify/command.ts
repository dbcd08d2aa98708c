/** `copresence verify URL`: the score card of any y-websocket or Hocuspocus server. */
import { parseArgs } from "node:util";
import { wrongArguments } from "../command/arguments.ts";
import { cardAsJson, cardAsText, cardOf } from "./card.ts";
import { hocuspocus, yWebsocket } from "./peer/dialect.ts";
import type { Target } from "./scene.ts";
import { type VerifyOptions, verify } from "./verify.ts";

const HELP = `Usage: copresence verify [options] ws://HOST:PORT/ROOM

Looks at a server as its clients do, and says for each rule of SPEC.md that it tries whether the server keeps it, with
what was measured and what a user of that server would see. It takes about a minute. The rooms that it makes have names
of their own: ROOM, "-verify-" and random letters.

  --abuse           also try what could harm a server: malformed, huge and very many messages
  --hocuspocus      the server speaks Hocuspocus's protocol; then the address is the whole of ws://HOST:PORT/PATH
  --token TOKEN     a token that the server lets in, as the parameter "token" (Hocuspocus: as providers send it); up to
                    three times, for three users. Then it is tried whether anybody is let in without
  --origin ORIGIN   where the application's pages are; then it is tried whether other sites' pages are let in
  --only RULE       only the checks of this rule; may be repeated
  --within SECONDS  only checks that take no longer
  --json            print the card as JSON
  --help, -h        this text

The exit code is 0 if no rule is broken, 1 if some are or the server lets nobody in, and 2 for a wrong flag.
`;

/** A wrong flag or address; exit code 2. */
class WrongUse extends Error {}

interface Order {
  readonly target: Target;
  readonly options: VerifyOptions;
  readonly json: boolean;
}

/** Runs the command. @param args what follows its name. @returns the exit code [VERIFY-1] */
export async function runVerify(args: readonly string[]): Promise<number> {
  try {
    const order = readOrder(args);
    if (order === null) {
      process.stdout.write(HELP);
      return 0;
    }
    return await carryOut(order);
  } catch (error) {
    const isWrongUse = error instanceof WrongUse || error instanceof RangeError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`copresence: ${message}\n${isWrongUse ? "Try copresence verify --help.\n" : ""}`);
    return isWrongUse ? 2 : 1;
  }
}

async function carryOut({ target, options, json }: Order): Promise<number> {
  const startedAt = new Date().toISOString();
  const findings = await verify(target, options);
  const card = cardOf(findings, { url: target.base.href, protocol: target.dialect.name, startedAt });
  process.stdout.write(json ? cardAsJson(card) : cardAsText(card));
  return card.broken === 0 ? 0 : 1;
}

const FLAGS = {
  abuse: { type: "boolean" },
  hocuspocus: { type: "boolean" },
  token: { type: "string", multiple: true },
  origin: { type: "string" },
  only: { type: "string", multiple: true },
  within: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], strict: true, allowPositionals: true, options: FLAGS });
  } catch (error) {
    const { message } = wrongArguments(error, Object.keys(FLAGS));
    throw new WrongUse(message, { cause: error });
  }
}

/** null: help was asked for. */
function readOrder(args: readonly string[]): Order | null {
  const { values, positionals } = read(args);
  if (values.help === true) return null;
  const [address, ...more] = positionals;
  if (address === undefined || more.length > 0) throw new WrongUse("verify needs one address: ws://HOST:PORT/ROOM");
  const isHocuspocus = values.hocuspocus === true;
  const { base, room } = readAddress(address, isHocuspocus);
  const target: Target = {
    dialect: isHocuspocus ? hocuspocus : yWebsocket,
    base,
    prefix: room === "" ? "verify-" : `${room}-verify-`,
    tokens: values.token ?? [],
    origin: values.origin ?? null,
  };
  const within = values.within === undefined ? Infinity : Number(values.within);
  if (!(within > 0)) throw new WrongUse(`--within must be a number of seconds, not "${values.within}"`);
  const options = { abuse: values.abuse === true, only: values.only ?? [], withinSeconds: within };
  return { target, options, json: values.json === true };
}

/** The server, and the room that the last part of the path names; to Hocuspocus all of the path is the server. */
function readAddress(address: string, isHocuspocus: boolean): { readonly base: URL; readonly room: string } {
  if (!URL.canParse(address) || !/^wss?:/.test(address)) {
    throw new WrongUse(`the address must begin with ws:// or wss://, not "${address}"`);
  }
  const url = new URL(address);
  if (isHocuspocus) return { base: url, room: "" };
  const parts = url.pathname.split("/");
  const room = decoded(parts.pop() ?? "");
  url.pathname = parts.join("/");
  return { base: url, room };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new WrongUse(`the room must be percent-encoded UTF-8, not "${name}"`);
  }
}
