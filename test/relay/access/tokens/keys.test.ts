import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type GenerateKeyPairResult, SignJWT, exportJWK, exportSPKI, generateKeyPair } from "jose";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { AccessRequest } from "../../../../src/relay/access/identity.ts";
import { type JwtOptions, jwtAuthenticator } from "../../../../src/relay/access/tokens/jwt.ts";
import { startRelay } from "../../../support.ts";
import { RawPeer } from "../../raw.ts";
import { SECRET, tokenFor } from "../../tokens.ts";

let older: GenerateKeyPairResult;
let newer: GenerateKeyPairResult;

beforeAll(async () => {
  [older, newer] = await Promise.all([
    generateKeyPair("ES256", { extractable: true }),
    generateKeyPair("ES256", { extractable: true }),
  ]);
});

const verify = (options: JwtOptions, token: string) =>
  jwtAuthenticator(options)({ room: "doc", lobby: "@lobby", token } as AccessRequest);

const signed = (pair: GenerateKeyPairResult, kid?: string, claims: object = {}): Promise<string> =>
  new SignJWT({ sub: "alice", ...claims })
    .setProtectedHeader({ alg: "ES256", ...(kid !== undefined && { kid }) })
    .sign(pair.privateKey);

const alice = { userId: "alice" };
const invalid = { code: 4401, reason: "the token is not valid" };

describe("several keys", () => {
  it("[KEY-1] a token is good if any of several secrets has signed it", async () => {
    const secrets = [SECRET, `${SECRET}!`];
    for (const secret of secrets) {
      expect(await verify({ secret: secrets }, await tokenFor({ sub: "alice" }, { secret }))).toMatchObject(alice);
    }
    const other = await tokenFor({ sub: "alice" }, { secret: `${SECRET}?` });
    expect(await verify({ secret: secrets }, other)).toEqual(invalid);
    // which key it was does not matter to what else is wrong with it
    const late = await tokenFor({ sub: "alice" }, { secret: secrets[1]!, expiresIn: -60 });
    expect(await verify({ secret: secrets }, late)).toMatchObject({ code: 4501 });
  });

  it("[KEY-1] public keys come as a list, as several PEMs in one text, and as a JWK set", async () => {
    const pems = await Promise.all([older, newer].map(({ publicKey }) => exportSPKI(publicKey)));
    const keys = await Promise.all([older, newer].map(({ publicKey }) => exportJWK(publicKey)));
    for (const publicKey of [
      pems,
      pems.join(""),
      pems.join("").replaceAll("\n", "\\n"),
      keys,
      [pems[0]!, keys[1]!],
      JSON.stringify(keys),
      JSON.stringify({ keys }),
    ]) {
      for (const pair of [older, newer]) expect(await verify({ publicKey }, await signed(pair))).toEqual(alice);
      expect(await verify({ publicKey: pems[0]! }, await signed(newer))).toEqual(invalid);
    }
  });

  it("[KEY-1] secrets and public keys stand beside each other, each with its own algorithms", async () => {
    const publicKey = await exportSPKI(newer.publicKey);
    const both = { secret: SECRET, publicKey };
    expect(await verify(both, await tokenFor({ sub: "alice" }))).toMatchObject(alice);
    expect(await verify(both, await signed(newer))).toEqual(alice);
    expect(await verify(both, await signed(older))).toEqual(invalid);
    expect(await verify(both, await tokenFor({ sub: "alice" }, { secret: publicKey }))).toEqual(invalid);
  });

  it("[KEY-2] a token that names its key is verified with that one, or one without a name", async () => {
    const named = async (pair: GenerateKeyPairResult, kid: string) => ({ ...(await exportJWK(pair.publicKey)), kid });
    const publicKey = [await named(older, "2025"), await named(newer, "2026")];
    expect(await verify({ publicKey }, await signed(older, "2025"))).toEqual(alice);
    expect(await verify({ publicKey }, await signed(newer, "2026"))).toEqual(alice);
    expect(await verify({ publicKey }, await signed(newer))).toEqual(alice);
    // it is called what the other is
    expect(await verify({ publicKey }, await signed(newer, "2025"))).toEqual(invalid);
    expect(await verify({ publicKey }, await signed(newer, "2027"))).toEqual(invalid);
    const nameless = [publicKey[0]!, await exportJWK(newer.publicKey)];
    expect(await verify({ publicKey: nameless }, await signed(newer, "2027"))).toEqual(alice);
  });

  it("[KEY-3] each must be fit for use, and none stands in the error", async () => {
    const pem = await exportSPKI(newer.publicKey);
    for (const options of [
      { secret: [SECRET, "too short a secret"] },
      { publicKey: [pem, "too short a secret"] },
      { publicKey: [pem, { kty: "oct", k: "too short a secret" }] },
      { publicKey: JSON.stringify([{ kty: "EC", d: "too short a secret" }]) },
      { publicKey: "[]" },
      { secret: Array.from({ length: 33 }, (_, i) => `${SECRET} too short a secret ${i}`) },
    ]) {
      expect(() => jwtAuthenticator(options)).toThrow(RangeError);
      expect(() => jwtAuthenticator(options)).not.toThrow(/too short a secret/);
    }
    expect(() => jwtAuthenticator({ jwksUrl: "https://me:pass@a.example/keys" })).toThrow(/without a user name/);
  });
});

/** Serves a JWK set, or something else, on loopback. */
async function keyServer(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?key=secret`;
}

describe("a key set", () => {
  it("[KEY-4] stands beside keys that are given", async () => {
    const keys = [await exportJWK(newer.publicKey)];
    let asked = 0;
    const jwksUrl = await keyServer((_, response) => {
      asked++;
      response.end(JSON.stringify({ keys }));
    });
    const options = { secret: SECRET, publicKey: await exportSPKI(older.publicKey), jwksUrl };
    const authenticate = jwtAuthenticator(options);
    const ask = (token: string) => authenticate({ room: "doc", lobby: "@lobby", token } as AccessRequest);
    expect(await ask(await tokenFor({ sub: "alice" }))).toMatchObject(alice);
    expect(await ask(await signed(older))).toEqual(alice);
    // no key of the set was needed so far
    expect(asked).toBe(0);
    expect(await ask(await signed(newer))).toEqual(alice);
    expect(await ask(await tokenFor({ sub: "alice" }, { secret: `${SECRET}?` }))).toEqual(invalid);
    expect(asked).toBe(1);
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
    ["a redirect", (_, response) => response.writeHead(302, { location: "/other" }).end(), "is a redirect (302)"],
    ["not found", (_, response) => response.writeHead(404).end(), "the answer is 404, not 200"],
    [
      "a page",
      (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>hello"),
      "what came (text/html) is not JSON",
    ],
    ["JSON of another kind", (_, response) => response.end("[]"), "the JWK set cannot be had: "],
    [
      "too long by its own word",
      (_, response) => response.writeHead(200, { "content-length": 2 ** 21 }).write("{"),
      "it is larger than 1048576 bytes",
    ],
    ["reset", (request) => request.socket.resetAndDestroy(), "the JWK set cannot be had: "],
  ])("[KEY-5] that is %s is refused, with the reason", async (_, answer, reason) => {
    const jwksUrl = await keyServer(answer);
    const failure = await Promise.resolve(verify({ jwksUrl }, await signed(newer))).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((failure as Error).message).toContain(reason);
    expect((failure as Error).message).not.toContain("secret");
  });

  it("[KEY-5] is read up to 1 MiB, and no further", async () => {
    let isCutOff = false;
    let sent = 0;
    const jwksUrl = await keyServer((_, response) => {
      response.on("close", () => (isCutOff = true));
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"keys":[');
      const more = (): void => {
        while (!response.destroyed && sent < 300 * 2 ** 20) {
          sent += 2 ** 16;
          if (!response.write(" ".repeat(2 ** 16))) return void response.once("drain", more);
        }
      };
      more();
    });
    await expect(verify({ jwksUrl }, await signed(newer))).rejects.toThrow("it is larger than 1048576 bytes");
    await vi.waitFor(() => expect(isCutOff).toBe(true));
    expect(sent).toBeLessThan(20 * 2 ** 20);
  });

  it("[KEY-6] that fails is reported once a second, though each connection is refused", async () => {
    const reported: string[] = [];
    const jwksUrl = await keyServer((_, response) => response.writeHead(500).end());
    const { url } = await startRelay({
      jwksUrl,
      onError: (error, where) => reported.push(`${where}: ${(error as Error).message}`),
    });
    const token = await signed(newer);
    const startedAt = performance.now();
    const codes = Array.from(
      { length: 20 },
      async () => (await new RawPeer(url, `doc?token=${token}`, []).closed).code,
    );
    expect(new Set(await Promise.all(codes))).toEqual(new Set([4503]));
    expect(reported.length).toBeLessThanOrEqual(1 + Math.floor((performance.now() - startedAt) / 1_000));
    expect(reported[0]).toBe("authenticate: the JWK set cannot be had: the answer is 500, not 200");
  });
});
