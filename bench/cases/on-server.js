// @ts-check
import { generate } from "../runner/generate.js";
import { startServer } from "../runner/servers.js";

/** @typedef {import("../runner/generate.js").Scenarios} Scenarios */
/** @typedef {{ port: number, serverPid: number, kind: string }} Place */

/**
 * Runs a scenario on a server started for it. The scenario is told where the server is and what kind of client dials it.
 *
 * @template {keyof Scenarios} Name
 * @param {import("../runner/servers.js").ServerKind} kind
 * @param {Name} name
 * @param {Omit<Parameters<Scenarios[Name]>[0], keyof Place>} options
 * @param {number} timeoutMs
 * @returns {Promise<Awaited<ReturnType<Scenarios[Name]>> & { server: string }>}
 */
export async function onServer(kind, name, options, timeoutMs) {
  const server = await startServer(kind);
  try {
    /** @type {Place} */
    const place = { port: server.port, serverPid: server.pid, kind: kind.client };
    const all = /** @type {Parameters<Scenarios[Name]>[0]} */ ({ ...options, ...place });
    const result = await generate(name, all, { timeoutMs });
    return { server: kind.name, ...result };
  } finally {
    await server.stop();
  }
}
