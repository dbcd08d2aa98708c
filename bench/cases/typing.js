// @ts-check
/** People who type in one document, as editors have it: text and cursor of each keystroke; then text alone. */
import { hocuspocus, relay, yWebsocket } from "../runner/servers.js";
import { isGeneratorBound } from "./case.js";
import { onServer } from "./on-server.js";

/** @typedef {Awaited<ReturnType<typeof onServer<"typing">>>} Typed */
/** @typedef {Typed & { people: number, perSecond: number, cursors: boolean, generatorBound: boolean }} TypingRow */

const SETTINGS = [
  { people: 5, perSecond: 4, cursors: true },
  { people: 20, perSecond: 4, cursors: true },
  { people: 40, perSecond: 4, cursors: true },
  { people: 100, perSecond: 4, cursors: true },
  { people: 30, perSecond: 5, cursors: false },
];
const MEASURED = 8;
const SERVERS = [relay(), yWebsocket, hocuspocus];

/** @type {import("./case.js").Case<{ rows: TypingRow[] }>} */
export const typing = {
  name: "typing",
  summary:
    "5 to 100 people who each type 4 letters a second, text and cursor; and 30 × 5 updates of the document alone",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 1_000, windowMs: 3_000 } : { warmMs: 15_000, windowMs: 10_000 };
    /** @type {TypingRow[]} */
    const rows = [];
    for (const setting of SETTINGS) {
      const { people, perSecond, cursors } = setting;
      log(`${people} people, ${perSecond} keystrokes a second${cursors ? "" : ", text alone"}`);
      for (const kind of SERVERS) {
        const row = await attempt(kind.name, () =>
          onServer(kind, "typing", { ...setting, measured: MEASURED, ...times }, 60_000),
        );
        if (row === null) continue;
        rows.push({ ...row, people, perSecond, cursors, generatorBound: isGeneratorBound(row) });
        const { freshness, serverCores, generatorCores, isSame } = row;
        const core = `${(100 * serverCores).toFixed(1)} % of a core, generator ${(100 * generatorCores).toFixed(0)} %`;
        log(
          `  ${kind.name}: p50 ${freshness.p50} ms, p99 ${freshness.p99} ms, ${core}, texts ${isSame ? "same" : "DIFFER"}`,
        );
      }
    }
    return { rows };
  },
};
