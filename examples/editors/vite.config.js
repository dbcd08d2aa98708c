import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  // `page.js` waits for its editor
  build: { target: "esnext", chunkSizeWarningLimit: 10_000 },
  resolve: {
    alias: {
      // y-monaco asks for a path that monaco-editor 0.57 has no more
      "monaco-editor/esm/vs/editor/editor.api.js": fileURLToPath(
        new URL("./node_modules/monaco-editor/esm/vs/editor/editor.api.js", import.meta.url),
      ),
    },
  },
});
