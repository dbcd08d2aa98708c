// @ts-check
/** What a peer says to the process that started it: when its socket opened, and whether it sees somebody else. */

/**
 * @typedef {{ event: "opened", at: number } | { event: "sees", sees: boolean, at: number }} Report
 *   `at` is in ms, by a clock that all processes of this machine share.
 */

/** @type {boolean | undefined} */
let saw;

export const report = {
  opened() {
    say({ event: "opened", at: sharedNow() });
  },
  /** @param {boolean} sees */
  sees(sees) {
    if (sees === saw) return;
    saw = sees;
    say({ event: "sees", sees, at: sharedNow() });
  },
};

/** @param {Report} line */
function say(line) {
  process.send?.(line);
}

function sharedNow() {
  return Number(process.hrtime.bigint()) / 1e6;
}
