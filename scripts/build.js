// Makes dist/: ES modules, and in dist/cjs/ the same in CommonJS for those who `require` the package. Both load the Yjs
// that the application loads in the same way: an application that requires Yjs and gets us as an ES module would have two.
//
//   node scripts/build.js [directory, default dist]
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const out = process.argv[2] ?? "dist";
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

/**
 * @param {string} project
 * @param {string} outDir
 */
function compile(project, outDir) {
  execFileSync(process.execPath, [tsc, "-p", project, "--outDir", outDir], { stdio: "inherit" });
}

rmSync(out, { recursive: true, force: true });
compile("tsconfig.build.json", out);
compile("tsconfig.cjs.json", join(out, "cjs"));
// the package is one of ES modules; what is in here is not
writeFileSync(join(out, "cjs/package.json"), '{ "type": "commonjs" }\n');
// Next.js and others look for it on the first line, where tsc puts what every script in CommonJS begins with
const react = join(out, "cjs/react/index.js");
writeFileSync(react, readFileSync(react, "utf8").replace(/^("use strict";\n)("use client";\n)/, "$2$1"));
chmodSync(join(out, "cli.js"), 0o755);
