import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../src/command/settings/file.ts";
import { readFlags } from "../../../src/command/settings/flags.ts";
import { configSchema } from "../../../src/command/settings/schema.ts";
import { type Settings, readSettings } from "../../../src/command/settings/settings.ts";
import { everySetting } from "../../../src/command/settings/specs.ts";
import { UsageError } from "../../../src/command/usage.ts";

const folder = mkdtempSync(join(tmpdir(), "copresence-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SECRET = "a secret of more than thirty-two bytes";
const OTHER = "another secret, of more than thirty-two bytes";

function fileWith(content: unknown, name = "copresence.json"): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function settingsOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): Settings {
  return readSettings(readFlags(args), env);
}

function refusalOrNull(read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

function refusal(read: () => unknown): string {
  return refusalOrNull(read) ?? "nothing was refused";
}

describe("a configuration file", () => {
  it("[RUN-6] sets what flags and variables set", () => {
    const path = fileWith({
      $schema: "./node_modules/copresence/dist/config.schema.json",
      host: "127.0.0.1",
      port: 8080,
      store: "file:./data",
      storeSync: true,
      logLevel: "info",
      pingInterval: 5_000,
      lobbyRooms: false,
      trustProxy: true,
      origins: "https://a.example",
      apiKey: ["one", "two"],
    });
    const expected = {
      host: "127.0.0.1",
      port: 8080,
      store: "file:./data",
      storeSync: true,
      bus: null,
      logLevel: "info",
      logFormat: "pretty",
      relay: {
        pingInterval: 5_000,
        lobbyRooms: false,
        trustProxy: 1,
        origins: ["https://a.example"],
        apiKey: ["one", "two"],
      },
    };
    expect(settingsOf(["--config", path])).toMatchObject(expected);
    expect(settingsOf([], { COPRESENCE_CONFIG: path })).toMatchObject(expected);
  });

  it("[RUN-6] is outranked by variables, and these by flags", () => {
    const path = fileWith({ tick: 1, lobbyTick: 1, leaveGrace: 1, port: 1 });
    const env = { COPRESENCE_CONFIG: path, COPRESENCE_LOBBY_TICK: "2", COPRESENCE_LEAVE_GRACE: "2", PORT: "2" };
    const { relay, port } = settingsOf(["--leave-grace", "3", "--port=3"], env);
    expect({ ...relay, port }).toEqual({ tick: 1, lobbyTick: 2, leaveGrace: 3, port: 3 });
  });

  it("[RUN-5] [RUN-6] names files of secrets, and a secret given in a stronger way takes the place of both", () => {
    const secret = fileWith(`${SECRET}\n`, "secret");
    const path = fileWith({ jwtSecretFile: secret, jwtSecret: OTHER, bus: "redis://localhost", busSecretFile: secret });
    const byFile = settingsOf(["--config", path]);
    expect(byFile.relay.jwtSecret).toEqual([OTHER, SECRET]);
    expect(byFile.busSecret).toBe(SECRET);
    const newer = "a newer secret of more than thirty-two bytes";
    const byVariable = settingsOf(["--config", path], { COPRESENCE_JWT_SECRET: newer });
    expect(byVariable.relay.jwtSecret).toEqual([newer]);
    const both = fileWith({ bus: "redis://localhost", busSecret: OTHER, busSecretFile: secret });
    expect(refusal(() => settingsOf(["--config", both]))).toBe(
      `${both}: busSecret stands instead of ${both}: busSecretFile: only one can be given`,
    );
    const two = fileWith(`${SECRET}\n${OTHER}\n`, "two-secrets");
    expect(refusal(() => settingsOf(["--bus", "redis://localhost", "--bus-secret-file", two]))).toBe(
      "the file of --bus-secret-file must hold one secret",
    );
  });

  it.each<[unknown, string]>([
    ["", "copresence.json is not JSON"],
    ["[]", 'copresence.json must hold one JSON object, such as { "port": 8080 }'],
    ["null", 'copresence.json must hold one JSON object, such as { "port": 8080 }'],
    [{ port: "8080" }, "copresence.json: port must be a port number from 0 to 65535"],
    [{ port: 65_536 }, "copresence.json: port must be a port number from 0 to 65535"],
    [{ tick: "5" }, "copresence.json: tick must be a whole number of milliseconds from 0 to 2147483647"],
    [{ tick: null }, "copresence.json: tick must not be null: leave it out"],
    [{ maxMessage: 1.5 }, "copresence.json: maxMessage must be a whole number of bytes from 64 to 2147483647"],
    [{ open: "true" }, "copresence.json: open must be true or false"],
    [{ logLevel: "loud" }, 'copresence.json: logLevel must be debug, info, warn, error, silent, not "loud"'],
    [{ jwtIssuer: 5 }, "copresence.json: jwtIssuer must be a text"],
    [{ jwtIssuer: "me" }, "copresence.json: jwtIssuer needs one of --jwt-secret, --jwt-public-key, --jwks-url"],
    [{ jwtSecret: [] }, "copresence.json: jwtSecret must not be empty: leave it out"],
    [{ webhookEvents: ["user.gone"] }, "copresence.json: webhookEvents must be of user.online, user.offline"],
    [{ store: "mongodb:x" }, 'copresence.json: store must be "memory", "file:FOLDER" or "postgres://…"'],
    [{ jwtSecretFile: "/nowhere" }, "copresence.json: jwtSecretFile is no file that can be read"],
    ['{ "__proto__": 1 }', 'copresence.json: there is no key "__proto__"; there are $schema, host, port, '],
    [
      { pingIntervall: 1 },
      'copresence.json: there is no key "pingIntervall": did you mean "pingInterval"? There are $schema, host, port, ',
    ],
    [{ config: "b.json" }, 'copresence.json: there is no key "config"; there are $schema, '],
  ])("[RUN-6] with %j is refused, with the file, the key and what is allowed", (content, message) => {
    const path = fileWith(content);
    expect(refusal(() => settingsOf(["--config", path])).replaceAll(`${folder}/`, "")).toContain(message);
  });

  it("[RUN-6] that is not there is refused with what named it", () => {
    expect(refusal(() => settingsOf(["--config", "nowhere.json"]))).toBe(
      "--config: nowhere.json is no file that can be read",
    );
    expect(refusal(() => settingsOf([], { COPRESENCE_CONFIG: "nowhere.json" }))).toBe(
      "COPRESENCE_CONFIG: nowhere.json is no file that can be read",
    );
  });

  it("[RUN-6] shows no secret in what it says", () => {
    const broken = `{\n  "jwtSecret": "${SECRET}"\n  "port": 1\n}`;
    const said = [
      refusal(() => readConfig(broken, "a.json")),
      refusal(() => readConfig(`{ "jwtSecret": ${SECRET} }`, "a.json")),
      refusal(() => settingsOf(["--config", fileWith({ jwtSecret: "short-secret" })])),
      refusal(() => settingsOf(["--config", fileWith({ apiKey: "key with-secret" })])),
      refusal(() => settingsOf(["--config", fileWith({ bus: "http://me:secret@host" })])),
      refusal(() => settingsOf(["--config", fileWith({ store: "mysql://me:secret@host" })])),
    ].join("\n");
    expect(said).not.toMatch(/secret[ @]|short-secret|with-secret|thirty/);
    expect(said).toMatch(/^a\.json is not JSON/);
  });
});

describe("the schema of configuration files", () => {
  const accepts = new Ajv().compile(configSchema());
  const values: readonly unknown[] = [
    null,
    true,
    false,
    [0, 1, 2, 16, 17, 64, 1_000, 65_535, 65_536, 1_000_001, 2 ** 31 - 1, 2 ** 31, -1, 1.5, 1e300],
    ["", "x", "5", "true", "info", "json", "memory", "user.online", "key with spaces", "https://app.example"],
    [[], [""], ["x"], ["https://app.example"], ["user.online"], ["x", 5], [null], [[]]],
    [{}, [{}], { kty: "OKP" }],
  ].flat();
  /** Of what these hold more is asked than a schema can say: see `readOrigin` and others. */
  const LOOSER = new Set(["origins", "webhook", "webhookSecret"]);

  it.each(everySetting)("[RUN-7] agrees with the command on $name", ({ name }) => {
    for (const value of values) {
      const isRead = refusalOrNull(() => readConfig(JSON.stringify({ [name]: value }), "a.json")) === null;
      const isAccepted = accepts({ [name]: value });
      if (LOOSER.has(name) && !isRead) continue;
      expect([name, value, isAccepted]).toEqual([name, value, isRead]);
    }
  });

  it("[RUN-7] knows every key, says what each is for, and knows no others", () => {
    const { properties } = configSchema() as { properties: Record<string, { description?: string }> };
    const names = everySetting.map(({ name }) => name);
    expect(Object.keys(properties)).toEqual(["$schema", ...names]);
    for (const name of names) expect(properties[name]?.description).toMatch(/\w/);
    expect([accepts({ $schema: "x" }), accepts({ pingIntervall: 1 }), accepts({ config: "x" }), accepts([])]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
