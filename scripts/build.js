// Makes dist/: ES modules, and in dist/cjs/ the same in CommonJS for those who `require` the package. Both load the Yjs
// that the application loads in the same way: an application that requires Yjs and gets us as an ES module would have two.
//
//   node scripts/build.js [directory, default dist]
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";

const out = process.argv[2] ?? "dist";
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

/**
 * @param {string} project
 * @param {string} outDir
 */
function compile(project, outDir) {
  execFileSync(process.execPath, [tsc, "-p", project, "--outDir", outDir], { stdio: "inherit" });
}

/**
 * Has the modules of a folder require a file of that folder instead.
 *
 * @param {string} folder
 * @param {string} call
 * @param {string} file
 */
function replaceInAll(folder, call, file) {
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".js") || path === file) continue;
    const source = readFileSync(join(folder, path), "utf8");
    const up = "../".repeat(path.split(sep).length - 1);
    const replaced = source.replaceAll(call, `require("${up === "" ? "./" : up}${file}")`);
    if (replaced !== source) writeFileSync(join(folder, path), replaced);
  }
}

rmSync(out, { recursive: true, force: true });
compile("tsconfig.build.json", out);
compile("tsconfig.cjs.json", join(out, "cjs"));
// [PKG-1] Yjs must be the one that the application has. Where the package is linked from elsewhere (npm link, a monorepo), a plain
// require would find another copy beside the package: in Node the application's main module says which one is meant.
for (const [name, file] of /** @type {const} */ ([
  ["yjs", "yjs.js"],
  ["y-protocols/awareness", "awareness-protocol.js"],
])) {
  const shared = `"use strict";
function fromMain() {
  try {
    return process.mainModule.require("${name}");
  } catch {
    return undefined; // a browser, a bundler, or a main module that has none
  }
}
module.exports = fromMain() ?? require("${name}");
`;
  writeFileSync(join(out, "cjs", file), shared);
  replaceInAll(join(out, "cjs"), `require("${name}")`, file);
}
// the inspector's page is served as it is
for (const folder of ["inspect", "cjs/inspect"]) cpSync("src/inspect", join(out, folder), { recursive: true });
// where a file is, CommonJS says in its own way
const here = join(out, "cjs/relay/documents/stored/here.js");
const location = 'require("node:url").pathToFileURL(__filename).href';
writeFileSync(here, readFileSync(here, "utf8").replace("import.meta.url", location));
// the package is one of ES modules; what is in here is not
writeFileSync(join(out, "cjs/package.json"), '{ "type": "commonjs" }\n');
// [REACT-3] Next.js and others look for it on the first line, where tsc puts what every script in CommonJS begins with
const react = join(out, "cjs/react/index.js");
writeFileSync(react, readFileSync(react, "utf8").replace(/^("use strict";\n)("use client";\n)/, "$2$1"));
chmodSync(join(out, "cli.js"), 0o755);
// [RUN-7] editors check a configuration file by it
const { configSchema } = await import(pathToFileURL(resolve(out, "command/settings/schema.js")).href);
writeFileSync(join(out, "config.schema.json"), `${JSON.stringify(configSchema(), null, 2)}\n`);
