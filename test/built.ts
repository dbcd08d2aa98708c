/** The package as `npm run build` makes it: `npm test` begins with that. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The folder `dist`. Throws if there is none, or if a source is newer: then something else would be tested. */
export function builtDist(): string {
  const dist = join(root, "dist");
  // the last file that a build writes
  const last = join(dist, "config.schema.json");
  if (!existsSync(last)) throw new Error("dist is missing: npm run build");
  const builtAt = statSync(last).mtimeMs;
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const newer = sources.find((path) => statSync(join(root, "src", path)).mtimeMs > builtAt);
  if (newer !== undefined) throw new Error(`dist is older than src/${newer}: npm run build`);
  return dist;
}
