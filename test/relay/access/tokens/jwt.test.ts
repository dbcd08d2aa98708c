import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type GenerateKeyPairResult,
  SignJWT,
  UnsecuredJWT,
  exportJWK,
  exportPKCS8,
  exportSPKI,
  generateKeyPair,
} from "jose";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { AccessRequest } from "../../../../src/relay/access/identity.ts";
import { type JwtOptions, identityOf, jwtAuthenticator } from "../../../../src/relay/access/tokens/jwt.ts";
import { startRelay } from "../../../support.ts";
import { RawPeer } from "../../raw.ts";
import { SECRET, tokenFor } from "../../tokens.ts";

const KINDS = ["RS256", "ES256", "EdDSA"] as const;
let pairs: Record<(typeof KINDS)[number] | "ES384", GenerateKeyPairResult>;

beforeAll(async () => {
  const made = [...KINDS, "ES384" as const].map(
    async (alg) => [alg, await generateKeyPair(alg, { extractable: true })] as const,
  );
  pairs = Object.fromEntries(await Promise.all(made)) as typeof pairs;
});

const verify = (options: JwtOptions, token: string | null) =>
  jwtAuthenticator(options)({ room: "doc", lobby: "@lobby", token } as AccessRequest);

const signedBy = (alg: (typeof KINDS)[number], claims: Record<string, unknown> = { sub: "alice" }): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg, kid: alg }).sign(pairs[alg].privateKey);

const invalid = { code: 4401, reason: "the token is not valid" };

describe("keys", () => {
  it.each(KINDS)("[JWT-1] takes %s with its public key, as PEM and as JWK, and no other algorithm", async (alg) => {
    const pem = await exportSPKI(pairs[alg].publicKey);
    const jwk = await exportJWK(pairs[alg].publicKey);
    const token = await signedBy(alg);
    for (const publicKey of [pem, pem.replaceAll("\n", "\\n"), JSON.stringify(jwk), jwk]) {
      expect(await verify({ publicKey }, token)).toEqual({ userId: "alice" });
      for (const other of KINDS.filter((each) => each !== alg)) {
        expect(await verify({ publicKey }, await signedBy(other))).toEqual(invalid);
      }
      // the classic: the public key, which everybody has, as if it was a secret
      expect(await verify({ publicKey }, await tokenFor({ sub: "alice" }, { secret: pem }))).toEqual(invalid);
    }
    expect(await verify({ secret: SECRET }, token)).toEqual(invalid);
  });

  it("[JWT-1] never takes what is not signed", async () => {
    const unsigned = new UnsecuredJWT({ sub: "alice" }).encode();
    const [, body = ""] = (await tokenFor({ sub: "alice" })).split(".");
    for (const token of [unsigned, `${unsigned}x`, `.${body}.`, body, "", "..", "a.b.c", "x".repeat(1_000)]) {
      expect(await verify({ secret: SECRET }, token)).toEqual(invalid);
      expect(await verify({ publicKey: await exportSPKI(pairs.ES256.publicKey) }, token)).toEqual(invalid);
    }
    expect(await verify({ secret: SECRET }, null)).toEqual({
      code: 4401,
      reason: 'no token: give createPresence the option "token", and other clients the parameter',
    });
    expect(await verify({ secret: SECRET }, "x".repeat(20_000))).toEqual({ code: 4401, reason: "token too long" });
  });

  it("[JWT-2] a private key, a weak one, and one of an unknown kind are refused, and not repeated", async () => {
    const message = "publicKey must be the PEM or JWK of a public key";
    const privatePem = await exportPKCS8(pairs.ES256.privateKey);
    const privateJwk = await exportJWK(pairs.ES256.privateKey);
    const oct = { kty: "oct", k: "c2VjcmV0" };
    const other = await exportSPKI(pairs.ES384.publicKey);
    for (const publicKey of [privatePem, privateJwk, JSON.stringify(privateJwk), oct, other, "{", "-----BEGIN x"]) {
      expect(() => jwtAuthenticator({ publicKey })).toThrow(message);
    }
    expect(() => jwtAuthenticator({ secret: "x".repeat(31) })).toThrow("secret must be at least 32 bytes long");
    // bytes, not characters
    expect(jwtAuthenticator({ secret: "ü".repeat(16) })).toBeTypeOf("function");
    expect(() => jwtAuthenticator({})).toThrow("one of secret, publicKey, jwksUrl is needed");
    expect(() => jwtAuthenticator({ secret: [] })).toThrow("secret must not be empty");
    expect(() => jwtAuthenticator({ jwksUrl: "file:///etc/passwd" })).toThrow("must be an http or https URL");
  });

  it("[JWT-1] [AUTH-3] a key set is fetched; while it cannot be had, clients are told to come back", async () => {
    let keys: unknown = null;
    const server = createServer((_, response) => {
      response.writeHead(keys === null ? 500 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify({ keys }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const errors: unknown[] = [];
    const { url } = await startRelay({ jwksUrl, onError: (error) => errors.push(error) });
    const token = await signedBy("ES256", { sub: "alice", lobby: "acme" });
    const first = new RawPeer(url, `@lobby/acme?token=${token}`, []);
    expect(await first.closed).toEqual({ code: 4503, reason: "authentication is not available" });
    expect(errors).toHaveLength(1);
    keys = await Promise.all(
      KINDS.slice(1).map(async (kid) => ({ ...(await exportJWK(pairs[kid].publicKey)), kid, use: "sig" })),
    );
    const second = new RawPeer(url, `@lobby/acme?token=${token}`, []);
    await second.settle().catch(() => {});
    await expect.poll(() => second.received.length).toBeGreaterThan(0);
    expect(await verify({ jwksUrl }, token)).toEqual({ userId: "alice", lobby: "acme" });
    const unknown = { code: 4503, reason: "the token's key is not known" };
    expect(await verify({ jwksUrl }, await signedBy("RS256"))).toEqual(unknown);
    expect(await verify({ jwksUrl }, await tokenFor({ sub: "alice" }))).toEqual(invalid);
  });

  it("[JWT-1] of several keys that a token may mean, any may be the one", async () => {
    const more = await Promise.all(Array.from({ length: 2 }, () => generateKeyPair("ES256", { extractable: true })));
    const known = [pairs.ES256, ...more].map(({ publicKey }) => exportJWK(publicKey));
    const keys = await Promise.all(known);
    const server = createServer((_, response) => void response.end(JSON.stringify({ keys })));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    const nameless = (key: GenerateKeyPairResult, sub: string): Promise<string> =>
      new SignJWT({ sub }).setProtectedHeader({ alg: "ES256" }).sign(key.privateKey);
    for (const [i, pair] of [pairs.ES256, ...more].entries()) {
      expect(await verify({ jwksUrl }, await nameless(pair, `user${i}`))).toEqual({ userId: `user${i}` });
    }
    const stranger = await generateKeyPair("ES256", { extractable: true });
    expect(await verify({ jwksUrl }, await nameless(stranger, "alice"))).toEqual(invalid);
    const late = new SignJWT({ sub: "alice", exp: 1 }).setProtectedHeader({ alg: "ES256" }).sign(more[1]!.privateKey);
    expect(await verify({ jwksUrl }, await late)).toMatchObject({ code: 4501 });
  });
});

describe("claims", () => {
  /** `exp` and `nbf` are given in seconds from now. */
  it.each<[string, Record<string, unknown>, JwtOptions, unknown]>([
    ["in time", { sub: "a", exp: 60 }, {}, { userId: "a" }],
    ["late, within the tolerance", { sub: "a", exp: -2 }, {}, { userId: "a" }],
    ["too late", { sub: "a", exp: -7 }, {}, { code: 4501, reason: "the token has expired" }],
    ["late, with more tolerance", { sub: "a", exp: -30 }, { clockTolerance: 60_000 }, { userId: "a" }],
    ["too early", { sub: "a", nbf: 60 }, {}, { code: 4401, reason: "the token's nbf is not accepted" }],
    ["without sub", {}, {}, { code: 4401, reason: "the token's sub is missing" }],
    ["with a guest's sub", { sub: "guest:1" }, {}, { code: 4401 }],
    ["with an endless sub", { sub: "x".repeat(257) }, {}, { code: 4401 }],
    ["with a sub that is no text", { sub: 7 }, {}, { code: 4401 }],
  ])("[JWT-1] %s", async (_, { exp, nbf, ...claims }, options, expected) => {
    const now = Math.floor(Date.now() / 1_000);
    const times = Object.entries({ exp, nbf }).filter(([, given]) => given !== undefined);
    const absolute = Object.fromEntries(times.map(([name, given]) => [name, now + Number(given)]));
    const answer = await verify(
      { secret: SECRET, ...options },
      await tokenFor({ ...claims, ...absolute }, { expiresIn: null }),
    );
    expect(answer).toMatchObject(expected as object);
    expect("userId" in answer ? answer.expiresAt : undefined).toBe(
      "userId" in answer && absolute["exp"] !== undefined ? absolute["exp"] * 1_000 : undefined,
    );
  });

  it.each<[Record<string, unknown>, unknown]>([
    [{ aud: "me", iss: "us" }, { userId: "a" }],
    [{ aud: ["you", "me"], iss: "us" }, { userId: "a" }],
    [
      { aud: "you", iss: "us" },
      { code: 4401, reason: "the token's aud is not accepted" },
    ],
    [{ iss: "us" }, { code: 4401, reason: "the token's aud is missing" }],
    [
      { aud: "me", iss: "them" },
      { code: 4401, reason: "the token's iss is not accepted" },
    ],
  ])("[JWT-3] %j", async (claims, expected) => {
    const token = await tokenFor({ sub: "a", ...claims }, { expiresIn: null });
    expect(await verify({ secret: SECRET, audience: "me", issuer: "us" }, token)).toEqual(expected);
  });

  it.each<[Record<string, unknown>, unknown]>([
    [
      { name: "A", color: "#123456", avatar: "https://a.example/a.png" },
      { name: "A", color: "#123456", avatar: "https://a.example/a.png" },
    ],
    [{ name: 1, color: null, avatar: {} }, {}],
    [
      { lobby: "acme", rooms: { "a*": ["observe"] } },
      { lobby: "acme", rooms: { "a*": ["observe"] } },
    ],
  ])("[JWT-4] %j is read", (claims, expected) => {
    expect(identityOf({ sub: "a", ...claims })).toEqual({ userId: "a", ...(expected as object) });
  });

  it.each<[Record<string, unknown>]>([
    [{ lobby: 7 }],
    [{ lobby: null }],
    [{ lobby: "a/.." }],
    [{ lobby: "l".repeat(506) }],
    [{ rooms: ["doc"] }],
    [{ rooms: "doc" }],
    [{ rooms: null }],
    [{ rooms: { doc: "observe" } }],
    [{ rooms: { doc: { observe: true } } }],
  ])("[JWT-4] %j makes the token bad", (claims) => {
    expect(identityOf({ sub: "a", ...claims })).toMatchObject({ code: 4401 });
  });
});
