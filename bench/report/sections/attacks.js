// @ts-check
import { table } from "../format.js";

/** @param {{ rows: import("../../cases/attacks.js").AttackRow[] }} data */
export function attacksSection({ rows }) {
  const servers = [...new Set(rows.map(({ server }) => server))];
  const attacks = [...new Set(rows.map(({ attack }) => attack))];
  const cells = attacks.map((attack) => {
    const outcomes = servers.map(
      (server) => rows.find((row) => row.attack === attack && row.server === server)?.outcome,
    );
    return [`Mallory ${attack}`, ...outcomes.map((outcome) => outcome ?? "")];
  });
  return ["What Alice and Bob, in the same room, notice.", "", table(["", ...servers], cells, { words: true })].join(
    "\n",
  );
}
