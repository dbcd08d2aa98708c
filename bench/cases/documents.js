// @ts-check
/** A long document that many open at the same time. */
import { hocuspocus, relay, yWebsocket } from "../runner/servers.js";
import { onServer } from "./on-server.js";

/** @typedef {Awaited<ReturnType<typeof onServer<"documents">>>} DocumentsRow */

const BYTES = 3_400_000;
const PEOPLE = 40;
const LIMIT_MS = 60_000;

/** @type {import("./case.js").Case<{ rows: DocumentsRow[] }>} */
export const documents = {
  name: "documents",
  summary: "40 people open a document of 3.4 MB at the same time",
  async run({ log, attempt }) {
    /** @type {DocumentsRow[]} */
    const rows = [];
    for (const kind of [relay(), yWebsocket, hocuspocus]) {
      const row = await attempt(kind.name, () =>
        onServer(kind, "documents", { bytes: BYTES, people: PEOPLE, limitMs: LIMIT_MS }, 2 * LIMIT_MS),
      );
      if (row === null) continue;
      rows.push(row);
      const all =
        row.allMs === null ? `${row.have} of ${PEOPLE} have it` : `all have it after ${Math.round(row.allMs)} ms`;
      log(`${kind.name}: ${all}, ${row.serverCpuSeconds.toFixed(2)} s of CPU`);
    }
    return { rows };
  },
};
