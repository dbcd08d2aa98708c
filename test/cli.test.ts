/** The command, as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { type OptionName, optionSpecs } from "../src/relay/options.ts";
import { SignJWT } from "jose";
import { PATCH_SUBPROTOCOL } from "../src/wire/index.ts";
import { builtDist } from "./built.ts";
import { RawPeer, rawPeer } from "./relay/raw.ts";
import { SECRET, tokenFor } from "./relay/tokens.ts";
import { stockClient, until } from "./support.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const cli = join(builtDist(), "cli.js");
/** Where files are that the command reads. */
const place = mkdtempSync(join(tmpdir(), "copresence-cli-"));

afterAll(() => rmSync(place, { recursive: true, force: true }));

type Env = Readonly<Record<string, string>>;

interface Run {
  readonly child: ChildProcess;
  /** What it wrote so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** Its exit code, once it has ended. */
  readonly exit: Promise<number | null>;
}

/** Runs the command without what the environment of this process may say. */
function run(args: readonly string[], env: Env = {}, node: readonly string[] = []): Run {
  const { HOST: _host, PORT: _port, ...rest } = process.env;
  const child = spawn(process.execPath, [...node, cli, ...args], {
    env: { ...rest, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const exit = once(child, "close").then(([code]) => code as number | null);
  return { child, out: () => out, err: () => err, exit };
}

/** Runs it until it listens. */
async function listening(args: readonly string[], env: Env = {}): Promise<Run & { readonly url: string }> {
  const started = run(args, env);
  await until("it listens", () => started.out().includes("\n"), 20_000);
  const url = /ws:\S+/.exec(started.out())?.[0] ?? "";
  return { ...started, url };
}

const local = ["--host", "127.0.0.1", "--port", "0"];

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const flagOf = (name: string): string => `--${kebab(name)}`;
const variableOf = (name: string): string => `COPRESENCE_${kebab(name).replaceAll("-", "_").toUpperCase()}`;
const names = Object.keys(optionSpecs);

describe("running", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "[RUN-1] listens, says where in one line, and with %s tells its clients to come back and ends well",
    async (signal) => {
      const relay = await listening(local);
      expect(relay.url).toMatch(/^ws:\/\/127\.0\.0\.1:[1-9]\d*$/);
      const alice = stockClient(relay.url, "doc", { user: { id: "alice" } });
      const raw = await rawPeer(relay.url, "@lobby");
      await until("Alice is in the lobby", () => alice.synced && raw.received.length > 0);
      alice.shouldConnect = false;
      relay.child.kill(signal);
      expect(await raw.closed).toEqual({ code: 1012, reason: "the relay is stopping" });
      expect(await relay.exit).toBe(0);
      expect(relay.out()).toBe(`copresence: listening on ${relay.url}\n`);
      expect(relay.err()).toMatch(/^copresence: open to anyone [^\n]+--jwt-secret[^\n]+\n$/);
    },
  );

  it("[RUN-3] people who may yet come back do not keep it running", async () => {
    const relay = await listening([...local, "--leave-grace", "600000"]);
    const [lost, reader] = [await rawPeer(relay.url, "doc"), await rawPeer(relay.url, "@lobby")];
    await reader.settle();
    lost.say([1, 1, { user: { id: "alice" } }]);
    await lost.settle();
    lost.socket.terminate();
    await until("the relay waits for her", () =>
      JSON.stringify(reader.doc.getMap("shards").toJSON()).includes('"reconnecting":true'),
    );
    relay.child.kill("SIGTERM");
    expect(await relay.exit).toBe(0);
  });

  it("[RUN-1] is at localhost:1234 unless told otherwise", async () => {
    const relay = run([]);
    // that port may be taken here; then it says so
    await until("it says where", () => /1234/.test(relay.out() + relay.err()), 20_000);
    expect(relay.out() + relay.err()).toMatch(/listening on ws:\/\/localhost:1234\n|EADDRINUSE.*1234/);
  });

  it("[RUN-1] stopped before it listens, it ends well and says nothing", async () => {
    // looking up the host takes until long after the signal
    const slow = `import dns from "node:dns";
      const { lookup } = dns;
      dns.lookup = (...args) => { console.error("looking up"); setTimeout(() => lookup(...args), 300); };`;
    const relay = run(["--port", "0"], {}, ["--import", `data:text/javascript,${encodeURIComponent(slow)}`]);
    await until("it looks up", () => relay.err().includes("looking up"), 20_000);
    relay.child.kill("SIGTERM");
    expect(await relay.exit).toBe(0);
    expect([relay.out(), relay.err()]).toEqual(["", "looking up\n"]);
  });

  it("[RUN-1] stopped before there is a relay, it ends well and says nothing", async () => {
    // a database that never answers keeps it from having a relay
    const database = createServer();
    await new Promise<void>((resolve) => {
      database.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => void database.close());
    const isAsked = once(database, "connection");
    const { port } = database.address() as AddressInfo;
    const relay = run([...local, "--store", `postgres://127.0.0.1:${port}/any`]);
    await isAsked;
    relay.child.kill("SIGTERM");
    expect(await relay.exit).toBe(0);
    expect([relay.out(), relay.err()]).toEqual(["", ""]);
  });

  it("a port that is taken is said, with exit code 1", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const relay = run(["--host", "127.0.0.1", "--port", `${port}`]);
    expect(await relay.exit).toBe(1);
    expect(relay.out()).toBe("");
    expect(relay.err()).toMatch(new RegExp(`^copresence: .*EADDRINUSE.*${port}; choose another port .*\\n$`));
  });
});

describe("settings", () => {
  /** The grace that a relay with these settings has: it tells its clients. */
  async function graceOf(args: readonly string[], env: Env): Promise<number> {
    const { url } = await listening(args, env);
    const peer = await rawPeer(url, "doc", { trusts: true });
    await until("it is told", () => peer.controls.length > 0);
    const [hello] = peer.controls;
    return hello?.kind === "hello" ? hello.graceMs : Number.NaN;
  }

  it.each<[string, string[], Env, number]>([
    ["the default", [], {}, 3_000],
    ["a variable", [], { COPRESENCE_LEAVE_GRACE: "111" }, 111],
    ["a flag wins", ["--leave-grace=0"], { COPRESENCE_LEAVE_GRACE: "111" }, 0],
  ])("[RUN-2] %s", async (_, args, env, grace) => {
    expect(await graceOf([...local, ...args], env)).toBe(grace);
  });

  it("[RUN-2] host and port are flags and variables too", async () => {
    const env = { HOST: "127.0.0.1", PORT: "0" };
    const byVariable = await listening([], env);
    expect(byVariable.url).toMatch(/^ws:\/\/127\.0\.0\.1:/);
    const { port } = new URL(byVariable.url);
    const byFlag = await listening(["--host", "::1", "--port", port], env);
    expect(byFlag.url).toBe(`ws://[::1]:${port}`);
  });

  it("[RUN-2] every option is a flag and a variable", async () => {
    const secret = "a secret of more than thirty-two bytes";
    const texts: Record<string, string> = { origins: "https://a.example", jwtAudience: "me", jwtIssuer: "me" };
    texts["webhookSecret"] = `whsec_${Buffer.alloc(32).toString("base64")}`;
    texts["apiKey"] = "a-key-without-spaces-of-some-length";
    texts["webhookEvents"] = "user.online,user.updated";
    const value = (name: string): string => {
      const { kind, default: none } = optionSpecs[name as OptionName];
      return kind === "text" || kind === "list" ? (texts[name] ?? secret) : `${none}`;
    };
    // a key set is fetched, a public key is no secret, and where webhooks go without a store there is a warning
    const given = names.filter((name) => !["jwksUrl", "jwtPublicKey", "webhook"].includes(name));
    const flags = await listening([...local, ...given.flatMap((name) => [flagOf(name), value(name)])]);
    const variables = await listening(local, Object.fromEntries(given.map((name) => [variableOf(name), value(name)])));
    expect([flags.err(), variables.err()]).toEqual(["", ""]);
  });

  /** Runs it with something wrong, and returns what it says. */
  async function refusal(args: readonly string[], env: Env = {}): Promise<string> {
    const refused = run([...local, ...args], env);
    expect(await refused.exit).toBe(2);
    expect(refused.out()).toBe("");
    expect(refused.err()).toMatch(/^copresence: .+\nTry copresence --help\.\n$/);
    return refused.err();
  }

  // what else is refused, and how: command/settings/settings.test.ts
  it.each<[string[], Env, RegExp]>([
    [["--verbose"], {}, /'--verbose'/],
    [["doc"], {}, /'doc' is no flag and no subcommand: there are drain, store and verify/],
    [["--jwt-secret", "short"], {}, /--jwt-secret must be at least 32 bytes long/],
    [[], { COPRESENCE_TICK: "fast" }, /COPRESENCE_TICK must be a whole number of milliseconds, not "fast"/],
  ])("[RUN-2] %j %j is refused with a message that names it", async (args, env, message) => {
    expect(await refusal(args, env)).toMatch(message);
  });

  it("[RUN-6] a configuration file sets options, a flag outranks it, and a wrong key in it ends with exit code 2", async () => {
    const path = join(place, "copresence.json");
    writeFileSync(path, JSON.stringify({ host: "127.0.0.1", port: 0, leaveGrace: 333 }));
    expect(await graceOf(["--config", path], {})).toBe(333);
    expect(await graceOf([], { COPRESENCE_CONFIG: path })).toBe(333);
    expect(await graceOf(["--config", path, "--leave-grace", "444"], {})).toBe(444);
    writeFileSync(path, JSON.stringify({ leaveGrace: "soon" }));
    expect(await refusal(["--config", path])).toContain(
      `${path}: leaveGrace must be a whole number of milliseconds from 0 to 2147483647`,
    );
    writeFileSync(path, JSON.stringify({ leavegrace: 5 }));
    expect(await refusal(["--config", path])).toMatch(
      /copresence\.json: there is no key "leavegrace": did you mean "leaveGrace"\?/,
    );
  });
});

describe("access", () => {
  it("[AUTH-8] a relay that asks nobody is not for the network, unless that is meant", async () => {
    const anywhere = ["--host", "0.0.0.0", "--port", "0"];
    for (const [args, env] of [
      [anywhere, {}],
      [[], { HOST: "0.0.0.0", PORT: "0" }],
      [[...anywhere, "--no-open"], { COPRESENCE_OPEN: "true" }],
    ] as const) {
      const refused = run(args, env);
      expect(await refused.exit).toBe(2);
      expect(refused.out()).toBe("");
      expect(refused.err()).toMatch(
        /^copresence: at 0\.0\.0\.0 anybody .+--jwt-secret.+--open.*\nTry copresence --help\.\n$/,
      );
    }
    const open = await listening([...anywhere, "--open"]);
    await until("it says so", () => open.err().startsWith("copresence: open to anyone"));
    await listening(anywhere, { COPRESENCE_OPEN: "1" });
    const asking = await listening(anywhere, { COPRESENCE_JWT_SECRET: SECRET });
    expect(asking.err()).toBe("");
  });

  it("[AUTH-7] neither secret nor token is written anywhere", async () => {
    // nobody serves keys there
    const none = await listening([...local, "--jwks-url", "http://127.0.0.1:1/keys"]);
    const relay = await listening([...local, "--jwt-secret", SECRET]);
    const good = await tokenFor({ sub: "alice", name: "Alice" });
    const { privateKey } = generateKeyPairSync("ed25519");
    const other = await new SignJWT({ sub: "alice" }).setProtectedHeader({ alg: "EdDSA" }).sign(privateKey);
    const tokens = [other, good, await tokenFor({ sub: "alice" }, { secret: `${SECRET}!` }), "not.a.token", `${good}x`];
    const codes: unknown[] = [];
    for (const { url } of [relay, none]) {
      for (const token of tokens) {
        for (const [path, protocols] of [
          ["doc", [PATCH_SUBPROTOCOL, `copresence.auth.${token}`]],
          [`doc?token=${token}`, []],
        ] as const) {
          const peer = new RawPeer(url, path, [...protocols]);
          peer.socket.once("open", () => setTimeout(() => peer.socket.close(1000), 500));
          codes.push((await peer.closed).code);
        }
      }
    }
    expect(codes.slice(0, 10)).toEqual([4401, 4401, 1000, 1000, 4401, 4401, 4401, 4401, 4401, 4401]);
    expect(codes.slice(10, 14)).toEqual([4503, 4503, 4401, 4401]);
    expect(none.err()).toMatch(/^copresence: tokens cannot be verified: /);
    const refused = run([...local, "--jwt-secret", "too short a one", "--jwt-public-key", SECRET]);
    await refused.exit;
    for (const { child } of [relay, none]) child.kill("SIGTERM");
    await Promise.all([relay.exit, none.exit]);
    const said = [relay, none, refused].map(({ out, err }) => out() + err()).join("");
    const parts = tokens.flatMap((token) => token.split(".")).filter((part) => part.length > 5);
    for (const secret of [SECRET, "too short a one", ...tokens, ...parts]) expect(said).not.toContain(secret);
    expect(relay.out() + relay.err()).toBe(`copresence: listening on ${relay.url}\n`);
  });

  it("[API-1] [API-19] takes keys to the HTTP API as flag, variable and file, and writes none of them anywhere", async () => {
    const keys = ["key-by-flag-1", "key-by-flag-2", "key-in-file-1", "key-in-file-2"];
    const file = join(place, "api-keys");
    writeFileSync(file, `${keys.slice(2).join("\n")}\n`);
    const relay = await listening([...local, "--api-key", keys.slice(0, 2).join(","), "--api-key-file", file]);
    const byVariable = await listening(local, { COPRESENCE_API_KEY: keys[0]!, COPRESENCE_API_KEY_FILE: file });
    const statusOf = async (url: string, key: string): Promise<number> => {
      const headers = { authorization: `Bearer ${key}` };
      return (await fetch(`${url.replace("ws:", "http:")}/api/v1/users`, { headers })).status;
    };
    const all = [...keys, "key-that-is-wrong"];
    expect(await Promise.all(all.map((key) => statusOf(relay.url, key)))).toEqual([200, 200, 200, 200, 401]);
    expect(await Promise.all(all.map((key) => statusOf(byVariable.url, key)))).toEqual([200, 401, 200, 200, 401]);
    const refused = run([...local, "--api-key", "key with spaces"]);
    expect(await refused.exit).toBe(2);
    const unread = run([...local, "--api-key-file", join(place, "no-such-file")]);
    expect(await unread.exit).toBe(2);
    const said = [relay, byVariable, refused, unread].map(({ out, err }) => out() + err()).join("");
    for (const key of [...all, "key with spaces"]) expect(said).not.toContain(key);
  });

  it("[KEY-1] several secrets are given with commas, or by repeating the flag, and as a variable", async () => {
    const secrets = [0, 1].map((i) => `secret-${i}-of-more-than-thirty-two-bytes`);
    const relays = [
      await listening([...local, "--jwt-secret", secrets.join(",")]),
      await listening([...local, ...secrets.flatMap((secret) => ["--jwt-secret", secret])]),
      await listening(local, { COPRESENCE_JWT_SECRET: secrets.join(",") }),
    ];
    for (const { url } of relays) {
      for (const secret of secrets) {
        const peer = new RawPeer(url, `doc?token=${await tokenFor({ sub: "alice" }, { secret })}`, []);
        await until("it is let in", () => peer.received.length > 0);
      }
      const other = await tokenFor({ sub: "alice" }, { secret: secrets.join(",") });
      expect(await new RawPeer(url, `doc?token=${other}`, []).closed).toMatchObject({ code: 4401 });
    }
  });

  it("[KEY-1] several public keys may be files, and one file may hold several", async () => {
    const pairs = [0, 1, 2].map(() => generateKeyPairSync("ed25519"));
    const pems = pairs.map(({ publicKey }) => publicKey.export({ type: "spki", format: "pem" }));
    const [two, one] = [join(place, "two.pem"), join(place, "one.pem")];
    writeFileSync(two, pems.slice(0, 2).join(""));
    writeFileSync(one, pems[2] ?? "");
    const { url } = await listening([...local, "--jwt-public-key", `${two},${one}`, "--jwt-secret", SECRET]);
    const tokens = pairs.map(({ privateKey }) =>
      new SignJWT({ sub: "alice" }).setProtectedHeader({ alg: "EdDSA" }).sign(privateKey),
    );
    for (const token of [...(await Promise.all(tokens)), await tokenFor({ sub: "alice" })]) {
      const peer = new RawPeer(url, `doc?token=${token}`, []);
      await until("it is let in", () => peer.received.length > 0);
    }
  });

  it("[JWT-2] a public key may be a file", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const path = join(place, "key.pem");
    writeFileSync(path, publicKey.export({ type: "spki", format: "pem" }));
    const { url } = await listening([...local, "--jwt-public-key", path]);
    const token = await new SignJWT({ sub: "alice" }).setProtectedHeader({ alg: "EdDSA" }).sign(privateKey);
    const peer = new RawPeer(url, `doc?token=${token}`, []);
    await until("it is let in", () => peer.received.length > 0);
  });
});

describe("help", () => {
  it.each(["--help", "-h"])("[RUN-9] %s lists every flag with its default", async (flag) => {
    const help = run([flag]);
    expect(await help.exit).toBe(0);
    for (const name of names) {
      const { kind, default: value } = optionSpecs[name as OptionName];
      const shown = kind === "text" || kind === "list" ? "[A-Z]+ +.+" : `.* .+\\(${value}( ms| bytes)?\\)`;
      expect(help.out()).toMatch(new RegExp(`^ +${flagOf(name)} ?${shown}$`, "m"));
    }
    expect(help.out()).toContain("--host HOST");
    expect(help.out()).toContain("--port PORT");
    expect(help.out()).toContain("COPRESENCE_PING_INTERVAL");
    expect(help.out()).toContain("--config FILE");
    expect(help.out()).toContain("--bus-secret-file FILE");
    expect(help.err()).toBe("");
  });

  it.each(["--version", "-v"])("%s says the version of the package", async (flag) => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    const said = run([flag]);
    expect(await said.exit).toBe(0);
    expect(said.out()).toBe(`${version}\n`);
  });

  it("is a program that a shell can start", () => {
    expect(readFileSync(cli, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

describe("the log", () => {
  it("[SEE-3] is JSON if it is asked for, and says when the relay starts and stops", async () => {
    const relay = await listening([...local, "--log-format", "json", "--log-level", "info"]);
    relay.child.kill("SIGTERM");
    expect(await relay.exit).toBe(0);
    const lines = relay
      .err()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ msg }) => msg)).toEqual([
      "listening",
      expect.stringMatching(/^open to anyone/),
      "stopping: clients are told to come back",
      "stopped",
    ]);
    expect(lines[0]).toMatchObject({ url: relay.url });
    expect(relay.out()).toBe(`copresence: listening on ${relay.url}\n`);
  });

  it("[RUN-5] secrets come from files, one a line, and what is no such file is refused", async () => {
    const file = join(place, "jwt-secret");
    writeFileSync(file, `${SECRET}\n\n`);
    const relay = await listening([...local, "--jwt-secret-file", file]);
    const good = await rawPeer(relay.url, `doc?token=${await tokenFor({ sub: "alice" })}`);
    await good.settle();
    expect((await (await rawPeer(relay.url, "doc")).closed).code).toBe(4401);
    const missing = run([...local, "--webhook-secret-file", join(place, "nowhere")]);
    expect(await missing.exit).toBe(2);
    expect(missing.err()).toContain("--webhook-secret-file is no file that can be read");
  });
});
