// @ts-check
/** A silent room: what a server sends although nothing happens. */
import { hocuspocus, relay, relayOwn, yWebsocket } from "../runner/servers.js";
import { isGeneratorBound } from "./case.js";
import { onServer } from "./on-server.js";

const yWebsocketOwn = { ...yWebsocket, name: "@y/websocket-server, own clients", client: "own" };

/** @type {readonly { people: number, servers: readonly import("../runner/servers.js").ServerKind[] }[]} */
const ROOMS = [
  { people: 300, servers: [relay(), relayOwn, yWebsocket, hocuspocus] },
  { people: 1_000, servers: [relayOwn, yWebsocketOwn, relay(), yWebsocket] },
];

/** @typedef {import("../generator/meter.js").Reading & { server: string, people: number, closed: number, generatorBound: boolean }} IdleRow */

/** @type {import("./case.js").Case<{ rows: IdleRow[] }>} */
export const idle = {
  name: "idle",
  summary: "a silent room of 300 and of 1,000: what is sent although nothing happens",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 5_000, windowMs: 10_000 } : { warmMs: 20_000, windowMs: 60_000 };
    /** @type {IdleRow[]} */
    const rows = [];
    for (const { people, servers } of ROOMS) {
      for (const kind of servers) {
        const reading = await attempt(kind.name, () => onServer(kind, "idle", { people, ...times }, 300_000));
        if (reading === null) continue;
        const row = { ...reading, people, generatorBound: isGeneratorBound(reading) };
        rows.push(row);
        const perSecond = `${Math.round(row.frames / row.seconds)} frames, ${Math.round(row.bytes / row.seconds)} bytes a second`;
        log(`${people} people, ${kind.name}: ${perSecond}, ${(100 * row.serverCores).toFixed(1)} % of a core`);
      }
    }
    return { rows };
  },
};
