// @ts-check
/** What the relay costs beyond the bytes that it writes: next to a bare server that writes as many, as often. */
import { fileURLToPath } from "node:url";
import { relay } from "../runner/servers.js";
import { measureRoom } from "./measure-room.js";

const PEOPLE = 200;

/** @typedef {{ relayCores: number, floorCores: number, ratio: number, framesPerSecond: number, frameBytes: number }} FloorRow */

/** @type {import("./case.js").Case<{ people: number, rows: FloorRow[] }>} */
export const floor = {
  name: "floor",
  summary: "the relay's CPU at 200 people, against a bare server that writes the same bytes to the same sockets",
  async run({ quick, log }) {
    const times = quick ? { warmMs: 1_000, windowMs: 3_000 } : { warmMs: 3_000, windowMs: 10_000 };
    /** @type {FloorRow[]} */
    const rows = [];
    for (let i = 0; i < (quick ? 1 : 3); i++) {
      const ours = await measureRoom(relay(), { perRoom: PEOPLE, ...times });
      const framesPerSecond = ours.frames / PEOPLE / ours.seconds;
      const frameBytes = Math.round(ours.bytes / ours.frames);
      const bare = await measureRoom(bareServer(frameBytes, 1000 / framesPerSecond), { perRoom: PEOPLE, ...times });
      const [relayCores, floorCores] = [ours.serverCores, bare.serverCores];
      rows.push({ relayCores, floorCores, ratio: relayCores / floorCores, framesPerSecond, frameBytes });
      log(
        `relay ${percent(relayCores)}, floor ${percent(floorCores)} of a core: ${(relayCores / floorCores).toFixed(2)} ×`,
      );
    }
    return { people: PEOPLE, rows };
  },
};

/**
 * @param {number} frameBytes
 * @param {number} tickMs
 * @returns {import("../runner/servers.js").ServerKind}
 */
function bareServer(frameBytes, tickMs) {
  return {
    name: "bare server",
    client: "stock",
    command: (port) => ({
      args: [fileURLToPath(new URL("../servers/floor.js", import.meta.url))],
      env: { PORT: String(port), FRAME_BYTES: String(frameBytes), TICK_MS: String(tickMs) },
    }),
  };
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(1)} %`;
