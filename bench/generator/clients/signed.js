// @ts-check
/** Stock clients whose states say who they are; and the same with tokens that say so too. */
import { createHmac } from "node:crypto";
import { namedState } from "../state.js";
import { AUDIENCE, SECRET } from "../../secret.js";
import { stateMessage } from "./messages.js";
import { stock } from "./stock.js";

/** @type {import("./client.js").ClientKind} */
export const named = {
  ...stock,
  stateMessage: (index) => stateMessage(new Uint8Array(), index, namedState(index)),
};

/** @type {import("./client.js").ClientKind} */
export const signed = { ...named, path: (room, index) => `/${room}?token=${tokenOf(index)}` };

const HOUR_S = 3_600;

/**
 * @param {number} index
 * @param {object} [claims]
 * @param {string | null} [secret]  Null: unsigned.
 */
export function tokenOf(index, claims = {}, secret = SECRET) {
  const exp = Math.floor(Date.now() / 1000) + HOUR_S;
  const alg = secret === null ? "none" : "HS256";
  const parts = [{ alg }, { sub: `u${index}`, aud: AUDIENCE, exp, ...claims }];
  const body = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${body}.${secret === null ? "" : createHmac("sha256", secret).update(body).digest("base64url")}`;
}
