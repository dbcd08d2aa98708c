/** The package as others install it: used by programs of their own. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configSchema } from "../src/command/settings/schema.ts";
import { builtDist } from "./built.ts";
import { startRelay } from "./support.ts";
import { isThorough } from "./thorough.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
// within node_modules, so that what the package imports is found
const cache = join(root, "node_modules/.cache");
/** An application that has installed the package. */
let app: string;

beforeAll(() => {
  mkdirSync(cache, { recursive: true });
  app = mkdtempSync(join(cache, "app-"));
  const installed = join(app, "node_modules/copresence");
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  cpSync(builtDist(), join(installed, "dist"), { recursive: true });
});

afterAll(() => rmSync(app, { recursive: true, force: true }));

/** Runs a program of the application; its standard error goes with its output. */
async function run(
  name: string,
  source: string,
  ...args: string[]
): Promise<{ readonly out: string; readonly err: string }> {
  writeFileSync(join(app, name), source);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(app, name), ...args], { cwd: app });
  return { out: stdout.trim(), err: stderr.trim() };
}

/** Joins a room with a document that holds a nested map, and says what came of it. */
const client = (id: string, load: string): string => `
  ${load}
  const doc = new Y.Doc();
  const presence = createPresence(process.argv[2], { user: { id: "${id}" }, WebSocket });
  const room = presence.join("doc", { doc });
  doc.getMap("map").set("${id}", new Y.Map([["x", 1]]));
  doc.getText("text").insert(0, "${id}");
  const timer = setInterval(() => {
    const text = doc.getText("text").toString();
    if (!text.includes("alice") || !text.includes("bob") || room.roster.users.length < 2) return;
    clearInterval(timer);
    console.log(JSON.stringify([text.length, doc.getMap("map").toJSON(), room.doc instanceof Y.Doc]));
    setTimeout(() => presence.destroy(), 300); // so that the other has seen it too
  }, 10);
`;

const REQUIRED = `const { createPresence } = require("copresence"); const Y = require("yjs"); const { WebSocket } = require("ws");`;
const IMPORTED = `import { createPresence } from "copresence"; import * as Y from "yjs"; import { WebSocket } from "ws";`;

describe("the package", () => {
  it("[RUN-7] holds the schema of configuration files, as the sources say it", () => {
    const built = readFileSync(join(app, "node_modules/copresence/dist/config.schema.json"), "utf8");
    expect(JSON.parse(built)).toEqual(JSON.parse(JSON.stringify(configSchema())));
  });
});

describe("the pages of the package", () => {
  it("[PKG-5] are all those to which README.md and they themselves lead", { timeout: 60_000 }, async () => {
    const args = ["pack", "--dry-run", "--ignore-scripts", "--json"];
    const { stdout } = await promisify(execFile)("npm", args, { cwd: root });
    const [{ files }] = JSON.parse(stdout) as [{ readonly files: readonly { readonly path: string }[] }];
    const packed = new Set(files.map(({ path }) => path));
    expect(packed).toContain("CHANGELOG.md");
    const pages = [...packed].filter((path) => path === "README.md" || /^docs\/.*\.md$/.test(path));
    const missing = pages.flatMap((page) =>
      [...readFileSync(join(root, page), "utf8").matchAll(/\]\(([^)#:]+)[^):]*\)/g)]
        .map(([, target = ""]) => posix.join(posix.dirname(page), target))
        .filter((path) => path.startsWith("docs/") && !path.endsWith(".png") && !path.endsWith(".svg"))
        .filter((path) => !packed.has(path) && !packed.has(posix.join(path, "README.md")))
        .map((path) => `${page}: ${path}`),
    );
    expect(missing).toEqual([]);
  });
});

describe("one Yjs", () => {
  it("[PKG-1] is shared with an application that requires both, and with one that imports both", async () => {
    const { url } = await startRelay();
    const [alice, bob] = await Promise.all([
      run("alice.cjs", client("alice", REQUIRED), url),
      run("bob.mjs", client("bob", IMPORTED), url),
    ]);
    for (const { out, err } of [alice, bob]) {
      expect(err).toBe("");
      expect(JSON.parse(out)).toEqual([8, { alice: { x: 1 }, bob: { x: 1 } }, true]);
    }
  });

  it("[PKG-1] is shared by a relay, by the bindings for React, and by what they need", async () => {
    const { out, err } = await run(
      "relay.cjs",
      `const Y = require("yjs"); require("y-protocols/sync"); const { createRelay } = require("copresence/relay");
       const { useRoom } = require("copresence/react"); const relay = createRelay();
       relay.listen(0).then(({ port }) => { console.log(port > 0, typeof useRoom); return relay.close(); });`,
    );
    expect({ out, err }).toEqual({ out: "true function", err: "" });
  });

  it("[PKG-2] a document of another copy of Yjs is refused when the room is joined, and the error says what to do", async () => {
    const { out } = await run(
      "mixed.mjs",
      `import { createRequire } from "node:module"; import { createPresence } from "copresence"; import { WebSocket } from "ws";
       const Y = createRequire(import.meta.url)("yjs");
       const presence = createPresence("ws://127.0.0.1:1", { user: { id: "alice" }, WebSocket });
       try { presence.join("doc", { doc: new Y.Doc() }); } catch (error) { console.log(error.name, error.message); }
       presence.destroy();`,
    );
    expect(out).toMatch(/^TypeError join: .*Yjs is loaded twice: import both packages, or require both/);
  });
});

describe("the directive for React Server Components", () => {
  it.for(["dist/react/index.js", "dist/cjs/react/index.js"])("[REACT-3] is the first line of %s", (file) => {
    const source = readFileSync(join(app, "node_modules/copresence", file), "utf8");
    expect(source.split("\n")[0]).toBe('"use client";');
  });

  it("[REACT-3] is still the first when a bundler puts the bindings into a library", async () => {
    const entry = join(app, "node_modules/copresence/dist/react/index.js");
    const options = { entry, formats: ["es" as const], fileName: "out" };
    const result = await build({
      configFile: false,
      logLevel: "silent",
      build: { lib: options, write: false, rolldownOptions: { external: [/^react/] } },
    });
    const [bundle] = [result].flat();
    const code = bundle !== undefined && "output" in bundle ? bundle.output[0].code : "";
    expect(code.trimStart().startsWith('"use client"')).toBe(true);
  });
});

describe("types", () => {
  const program = `
    import { type Room, createPresence, trackAwareness } from "copresence";
    import { useRoom, useUsers } from "copresence/react";
    import { type Relay, createRelay } from "copresence/relay";

    const presence = createPresence("ws://localhost:1234", { user: { id: "alice" } });
    const room: Room = presence.join("room");
    export const names: readonly (string | undefined)[] = room.roster.users.map((user) => user.name);
    export const relay: Relay = createRelay();
    export const used = { trackAwareness, useRoom, useUsers };
    // @ts-expect-error -- a name is a text; were the types not found, it would be anything
    export const wrong: number = room.name;
  `;
  /** The compiler of this repository no longer has `node10`; the one that checks the package's types does. */
  const older = createRequire(createRequire(import.meta.url).resolve("@arethetypeswrong/core"));
  const compilers = { new: createRequire(import.meta.url), old: older };

  it.for([
    ["old", "CommonJS", "node10", ["app.ts"]],
    ...(isThorough ? ([["old", "Node16", "node16", ["app.cts", "app.mts"]]] as const) : []),
    ["new", "NodeNext", "nodenext", ["app.cts", "app.mts"]],
    ["new", "ESNext", "bundler", ["app.ts"]],
  ] as const)(
    "[PKG-3] are found: %s compiler, module %s, resolution %s, %j",
    { timeout: 120_000 },
    async ([age, module, resolution, files]) => {
      for (const file of files) writeFileSync(join(app, file), program);
      const options = {
        module,
        moduleResolution: resolution,
        target: "ES2022",
        lib: ["ES2023", "DOM"],
        types: ["node"],
      };
      const compilerOptions = { ...options, strict: true, noEmit: true, skipLibCheck: true, rootDir: root };
      const config = join(app, `tsconfig.${resolution}.json`);
      writeFileSync(config, JSON.stringify({ compilerOptions, files }));
      const tsc = join(compilers[age].resolve("typescript/package.json"), "../bin/tsc");
      const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", config]).catch(
        (error: { readonly stdout: string }) => error,
      );
      expect(stdout).toBe("");
    },
  );
});
