// @ts-check
/** Stock clients whose states say who they are; and the same with tokens that say so too. */
import { createHmac } from "node:crypto";
import { namedState } from "../state.js";
import { SECRET } from "../../secret.js";
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

/** @param {number} index */
export function tokenOf(index) {
  const exp = Math.floor(Date.now() / 1000) + HOUR_S;
  const [header, claims] = [{ alg: "HS256" }, { sub: `u${index}`, exp }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const signature = createHmac("sha256", SECRET).update(`${header}.${claims}`).digest("base64url");
  return `${header}.${claims}.${signature}`;
}
