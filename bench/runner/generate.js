// @ts-check
/** Runs a scenario of the generator in a process of its own. */
import { fileURLToPath } from "node:url";
import { GENERATOR_CORE, pinned } from "./pinning.js";
import { start, stop } from "./processes.js";

const main = fileURLToPath(new URL("../generator/main.js", import.meta.url));

/** @typedef {typeof import("../generator/scenarios/index.js").scenarios} Scenarios */

/**
 * @template {keyof Scenarios} Name
 * @param {Name} name
 * @param {Parameters<Scenarios[Name]>[0]} options
 * @param {{ readonly timeoutMs: number }} limits
 * @returns {Promise<Awaited<ReturnType<Scenarios[Name]>>>}
 */
export async function generate(name, options, { timeoutMs }) {
  const child = start(pinned(GENERATOR_CORE, [process.execPath, main]), { ipc: true });
  try {
    /** @type {Promise<never>} */
    const result = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`${name} is not done after ${timeoutMs} ms`)), timeoutMs).unref();
      child.once("exit", (code) => reject(new Error(`the generator of ${name} ended with ${code}`)));
      child.once("message", (/** @type {{ result: never, error?: string }} */ answer) => {
        if (answer.error === undefined) resolve(answer.result);
        else reject(new Error(`in the generator: ${answer.error}`));
      });
      child.send({ name, options });
    });
    return await result;
  } finally {
    await stop(child);
  }
}
