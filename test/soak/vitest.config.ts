/** What takes minutes of real time, and is no part of `npm test`: `npm run soak`. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: { include: ["test/soak/**/*.test.ts"], fileParallelism: false },
});
