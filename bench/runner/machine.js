// @ts-check
/** What the figures were measured on, and with. */
import { readFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { unpinnedBecause } from "./pinning.js";

const PEERS = ["@y/websocket-server", "@hocuspocus/server", "@hocuspocus/extension-redis", "y-websocket", "yjs"];

export function describeMachine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    pinned: unpinnedBecause === null,
  };
}

export function describeVersions() {
  const entries = PEERS.map((name) => [name, versionIn(`../node_modules/${name}/package.json`)]);
  return { copresence: versionIn("../../package.json"), ...Object.fromEntries(entries) };
}

/** @param {string} path */
function versionIn(path) {
  const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
  return String(manifest.version);
}
