// What is said of how to run a relay: the image, compose.yaml, Kubernetes, systemd.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { call, freePort, start, until } from "./programs.js";

/** @param {string} root */
export async function checkCompose(root) {
  const env = { ...process.env, POSTGRES_PASSWORD: "p", COPRESENCE_JWT_SECRET: "j", COPRESENCE_BUS_SECRET: "b" };
  await call("docker-compose", ["-f", join(root, "compose.yaml"), "config", "--quiet"], { env });
}

/** By the schemas of Kubernetes' own API. @param {string} root @param {string} folder */
export async function checkKubernetes(root, folder) {
  const { install, load } = packages(folder, "kubernetes");
  await install(["kubernetes-models@5", "yaml@2"]);
  const { parseAllDocuments } = await load("yaml");
  const text = readFileSync(join(root, "ops/kubernetes/copresence.yaml"), "utf8");
  const documents = parseAllDocuments(text).map((/** @type {{ toJS: () => object }} */ each) => each.toJS());
  for (const document of documents) {
    const { [document.kind]: Model } = await load(`kubernetes-models/${document.apiVersion}`);
    new Model(document).validate();
  }
  return documents.length;
}

/** The unit as systemd reads it, with a command that is there. @param {string} root @param {string} folder */
export async function checkUnit(root, folder) {
  const unit = readFileSync(join(root, "ops/systemd/copresence.service"), "utf8");
  const path = join(folder, "copresence.service");
  // a user that there is here
  writeFileSync(path, unit.replace(/^User=.*$/m, "User=daemon"));
  const said = await call("systemd-analyze", ["verify", path]);
  if (said.trim() !== "") throw new Error(said);
  const security = await call("systemd-analyze", ["security", "--offline=true", path]);
  return /Overall exposure level[^:]*: ([\d.]+ \w+)/.exec(security)?.[1] ?? "unknown";
}

/**
 * What the Dockerfile runs, step by step in clean folders: packs, installs the archive with the packages that the image has, and
 * starts the command as the image does. The image itself is not made.
 *
 * @param {string} root
 * @param {string} folder
 */
export async function tryDockerfile(root, folder) {
  const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
  const { install: installLinter, path } = packages(folder, "linter");
  await installLinter(["dockerfile-utils@0.16"]);
  await call(process.execPath, [
    join(path, "node_modules/dockerfile-utils/bin/dockerfile-utils"),
    "lint",
    join(root, "Dockerfile"),
  ]);
  const extra = /install --omit=dev [^\n]*copresence-\*\.tgz ([^\\\n]+)/.exec(dockerfile)?.[1]?.trim().split(" ") ?? [];
  const command = /ENTRYPOINT \["node", "\/opt\/copresence\/([^"]+)"\]/.exec(dockerfile)?.[1];
  const health = /CMD \["node", "-e", "(.+)"\]/.exec(dockerfile)?.[1];
  if (extra.length === 0 || command === undefined || health === undefined)
    throw new Error("the Dockerfile has changed");
  const built = join(folder, "src");
  // what is in the repository, without what the ignored files of this machine may add
  await call("git", ["clone", "--quiet", "--no-hardlinks", root, built]);
  await call("npm", ["ci", "--no-audit", "--no-fund"], { cwd: built });
  await call("npm", ["pack", "--pack-destination", folder], { cwd: built });
  const archive = (await call("sh", ["-c", "ls copresence-*.tgz"], { cwd: folder })).trim();
  const { path: opt, install } = packages(folder, "opt");
  await install(["--omit=dev", join(folder, archive), ...extra]);
  const port = await freePort();
  const env = { NODE_ENV: "production", HOST: "0.0.0.0", PORT: String(port), COPRESENCE_LOG_FORMAT: "json" };
  const secret = { COPRESENCE_JWT_SECRET: "a secret of more than thirty-two bytes" };
  const relay = start(process.execPath, [join(opt, command)], { ...env, COPRESENCE_LOG_LEVEL: "info", ...secret });
  try {
    await until("it listens", () => relay.said().includes("listening"));
    await call(process.execPath, ["-e", health], { env: { ...process.env, ...env } });
  } finally {
    await relay.stop();
  }
  if (!relay.said().includes('"msg":"stopped"')) throw new Error(`it did not stop well: ${relay.said()}`);
}

/** A folder with packages of its own. @param {string} folder @param {string} name */
function packages(folder, name) {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, "package.json"), "{}");
  // what it imports is looked up from there
  const loader = join(path, "load.mjs");
  writeFileSync(loader, "export const load = (what) => import(what);\n");
  return {
    path,
    /** @param {string[]} list */
    install: (list) => call("npm", ["install", "--no-audit", "--no-fund", ...list], { cwd: path }),
    /** @param {string} what */
    load: async (what) => (await import(pathToFileURL(loader).href)).load(what),
  };
}
