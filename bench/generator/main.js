// @ts-check
/** The generator's process: is told one scenario over IPC, runs it, says what it measured, and ends. */
import { scenarios } from "./scenarios/index.js";

/** @typedef {{ name: keyof typeof scenarios, options: never }} Task */

process.once("message", (/** @type {Task} */ { name, options }) => {
  scenarios[name](options).then(
    (result) => process.send?.({ result }, () => process.exit()),
    (/** @type {Error} */ error) => process.send?.({ error: error.stack ?? error.message }, () => process.exit(1)),
  );
});
