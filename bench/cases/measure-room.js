// @ts-check
/** One measurement of rooms where everybody moves a cursor, on a server started for it. */
import { isGeneratorBound } from "./case.js";
import { onServer } from "./on-server.js";

/** @typedef {import("../generator/crowd.js").Window & { server: string, size: number, generatorBound: boolean }} RoomRow */

/**
 * @typedef {object} RoomOptions
 * @property {number} [rooms]
 * @property {number} perRoom
 * @property {number} [changesPerSecond]
 * @property {number} [measured]
 * @property {boolean} [echo]
 * @property {number} warmMs
 * @property {number} windowMs
 */

/**
 * @param {import("../runner/servers.js").ServerKind} kind
 * @param {RoomOptions} options
 * @returns {Promise<RoomRow>}
 */
export async function measureRoom(kind, { rooms = 1, changesPerSecond = 10, measured = 25, ...options }) {
  const timeoutMs = 120_000 + options.warmMs + options.windowMs;
  const window = await onServer(kind, "room", { ...options, rooms, changesPerSecond, measured }, timeoutMs);
  return { ...window, size: options.perRoom, generatorBound: isGeneratorBound(window) };
}

const COLLAPSED_MS = 2_000;
const COLLAPSED_SHARE = 0.5;

/**
 * Whether a server was so late, or lost so much, that there is no use in trying a larger room.
 *
 * @param {RoomRow} row
 */
export function hasCollapsed({ freshness, knownShare }) {
  return freshness.p99 > COLLAPSED_MS || knownShare < COLLAPSED_SHARE;
}

/** @param {RoomRow} row */
export function describe(row) {
  const { freshness, knownShare, serverCpuSeconds, delivered, serverCores, generatorCores } = row;
  const micros = (serverCpuSeconds * 1e6) / delivered;
  return [
    `${row.server}: p50 ${freshness.p50} ms, p99 ${freshness.p99} ms`,
    `${(100 * knownShare).toFixed(1)} % known`,
    `${micros.toFixed(2)} µs a state`,
    `server ${(100 * serverCores).toFixed(0)} % of a core, generator ${(100 * generatorCores).toFixed(0)} %`,
    ...(row.generatorBound ? ["GENERATOR-BOUND"] : []),
  ].join(", ");
}
