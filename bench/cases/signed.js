// @ts-check
/** What it costs that the relay knows who everybody is: the same room, open and with tokens. */
import { median, microsPerState } from "../report/format.js";
import { relayNamed, relaySigned } from "../runner/servers.js";
import { describe, measureRoom } from "./measure-room.js";

const SIZES = [50, 200];

/** @typedef {import("./measure-room.js").RoomRow} RoomRow */

/** @type {import("./case.js").Case<{ rows: RoomRow[], ratios: { size: number, ratio: number }[] }>} */
export const signed = {
  name: "signed",
  summary: "1 room × 50 and 200 people, the relay open and with tokens, by turns",
  async run({ quick, log }) {
    const times = quick ? { warmMs: 1_000, windowMs: 3_000 } : { warmMs: 3_000, windowMs: 10_000 };
    /** @type {RoomRow[]} */
    const rows = [];
    const ratios = [];
    for (const perRoom of SIZES) {
      for (let i = 0; i < (quick ? 1 : 3); i++) {
        for (const kind of [relayNamed, relaySigned]) {
          const row = await measureRoom(kind, { perRoom, ...times });
          rows.push(row);
          log(`${perRoom}: ${describe(row)}`);
        }
      }
      const [open = NaN, asked = NaN] = [relayNamed, relaySigned].map(({ name }) =>
        median(rows.filter((row) => row.server === name && row.size === perRoom).map(microsPerState)),
      );
      ratios.push({ size: perRoom, ratio: asked / open });
      log(`${perRoom} people: ${(asked / open).toFixed(2)} × the CPU per state`);
    }
    return { rows, ratios };
  },
};
