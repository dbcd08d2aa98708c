// @ts-check
/** A client of a real library, watched from outside (see peers/report.js). */
import { fileURLToPath } from "node:url";
import { GENERATOR_CORE, pinned } from "./pinning.js";
import { start, stop } from "./processes.js";

const here = (/** @type {string} */ name) => fileURLToPath(new URL(`../peers/${name}.js`, import.meta.url));

/** @typedef {"own" | "stock"} Library */

export class Peer {
  #child;
  /** When its socket opened last, ms; 0 if it never did. */
  openedAt = 0;
  sees = false;
  /** Since when it sees somebody else, or nobody, ms. */
  seesSince = 0;

  /**
   * @param {Library} library
   * @param {{ url: string, room: string, name: string }} options
   */
  constructor(library, { url, room, name }) {
    this.#child = start(pinned(GENERATOR_CORE, [process.execPath, here(library), url, room, name]), { ipc: true });
    this.#child.on("message", (/** @type {import("../peers/report.js").Report} */ report) => {
      if (report.event === "opened") this.openedAt = report.at;
      else [this.sees, this.seesSince] = [report.sees, report.at];
    });
  }

  stop() {
    return stop(this.#child);
  }
}
