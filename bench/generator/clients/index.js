// @ts-check
import { hocuspocus } from "./hocuspocus.js";
import { own, user } from "./own.js";
import { patching } from "./patching.js";
import { named, signed } from "./signed.js";
import { stock } from "./stock.js";

/** @type {Readonly<Record<string, import("./client.js").ClientKind>>} */
const kinds = { hocuspocus, named, own, patching, signed, stock, user };

/** @param {string} name */
export function clientKind(name) {
  const kind = kinds[name];
  if (kind === undefined) throw new RangeError(`no such kind of client: ${name}`);
  return kind;
}
