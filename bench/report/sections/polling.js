// @ts-check
import { bytes, number, percent, table } from "../format.js";

/** @param {import("../../cases/polling.js").PollingData} data */
export function pollingSection({ polled, pushed }) {
  const cells = [polled, pushed].map((row) => [
    row === polled ? "REST, every 5 s" : "copresence, lobby",
    row === polled ? number(polled.requestsPerSecond) : "0",
    number(row.freshness.p50),
    number(row.freshness.p99),
    percent(row.serverCores),
    `${bytes(row.bytes / row.seconds / row.users)}/s`,
    bytes(row.residentBytes),
  ]);
  return [
    `${number(polled.users)} users, 100 of whom change something each second. Polling: each posts a heartbeat and asks`,
    "for the list, every 5 s over a connection that is kept; a change rides on the next heartbeat. Pushed: all of them",
    "watch the relay's lobby.",
    "",
    table(["", "requests/s", "seen p50, ms", "p99", "core", "to each user", "resident"], cells),
  ].join("\n");
}
