// @ts-check
/** A Hocuspocus server as it comes, and with our extension, one after the other: clients that echo and clients that do not. */
import { hocuspocus, hocuspocusPresence } from "../runner/servers.js";
import { describe, measureRoom } from "./measure-room.js";

const PEOPLE = 100;

/** @typedef {import("./measure-room.js").RoomRow & { echo: boolean }} ExtensionRow */

/** @type {import("./case.js").Case<{ rows: ExtensionRow[] }>} */
export const extension = {
  name: "extension",
  summary: "a Hocuspocus server as it comes and with our extension: 100 people who move 10 times a second",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 1_000, windowMs: 3_000 } : { warmMs: 15_000, windowMs: 10_000 };
    /** @type {ExtensionRow[]} */
    const rows = [];
    for (const echo of [false, true]) {
      for (const kind of [hocuspocus, hocuspocusPresence]) {
        const row = await attempt(kind.name, () => measureRoom(kind, { perRoom: PEOPLE, echo, ...times }));
        if (row === null) continue;
        rows.push({ ...row, echo });
        log(`${echo ? "echoing, " : ""}${describe(row)}`);
      }
    }
    return { rows };
  },
};
