// @ts-check
import { hocuspocus } from "./hocuspocus.js";
import { own } from "./own.js";
import { named, signed } from "./signed.js";
import { stock } from "./stock.js";
import { observer, tab, user } from "./tab.js";

/** @type {Readonly<Record<string, import("./client.js").ClientKind>>} */
const kinds = { hocuspocus, named, observer, own, signed, stock, tab, user };

/** @param {string} name */
export function clientKind(name) {
  const kind = kinds[name];
  if (kind === undefined) throw new RangeError(`no such kind of client: ${name}`);
  return kind;
}
