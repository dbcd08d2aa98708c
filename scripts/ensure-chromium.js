// Finds a Chromium for the browser tests, and as root on Debian installs one if there is none. Prints its path.
import { spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];

const PLACES = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ...[process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"], process.env.LOCALAPPDATA]
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, "Google", "Chrome", "Application", "chrome.exe")),
];

/**
 * The path of a Chromium or Chrome on this machine: `CHROMIUM_PATH` and nothing else if that is set.
 *
 * @returns {string | null}
 */
export function findChromium() {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen !== undefined && chosen !== "") return isExecutable(chosen) ? chosen : null;
  const inPath = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...inPath, ...PLACES].find(isExecutable) ?? null;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Tries to install Debian's Chromium; what apt-get says goes to stderr. */
function install() {
  /** @param {string[]} args */
  const aptGet = (...args) =>
    spawnSync("apt-get", args, {
      stdio: ["ignore", 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status === 0;
  return aptGet("update") && aptGet("install", "-y", "--no-install-recommends", "chromium", "fonts-liberation");
}

function main() {
  const chosen = process.env.CHROMIUM_PATH;
  const canInstall = !chosen && process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  const path = findChromium() ?? (canInstall && install() ? findChromium() : null);
  if (path !== null) {
    console.log(path);
    return;
  }
  console.error(
    chosen
      ? `CHROMIUM_PATH is ${chosen}, which is not an executable file.`
      : "No Chromium found for the browser tests. Install Chromium or Google Chrome (on Debian, as root: " +
          "apt-get install chromium), or set CHROMIUM_PATH to the path of its executable.",
  );
  process.exitCode = 1;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
