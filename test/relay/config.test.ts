import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/relay/config.ts";
import { createRelay } from "../../src/relay/index.ts";
import type { RelayConfig } from "../../src/relay/options.ts";

describe("resolveConfig", () => {
  const secret = "a secret of more than thirty-two bytes";

  it("keeps keys out of what may be shown", () => {
    const { settings, authenticate } = resolveConfig({ jwtSecret: secret, jwtIssuer: "me", trustProxy: true });
    expect(settings).toMatchObject({ trustProxy: 1, tick: 0 });
    expect(JSON.stringify(createRelay({ jwtSecret: secret }).options)).not.toContain("secret of");
    expect(Object.keys(settings)).not.toContain("jwtSecret");
    expect(authenticate).toBeTypeOf("function");
    expect(resolveConfig({}).authenticate).toBeNull();
    expect([createRelay({ jwtSecret: secret }).open, createRelay().open]).toEqual([false, true]);
  });

  it("[RUN-2] says where a port and a host belong, and names all options for one that there is none of", () => {
    const wrong = (config: object) => () => createRelay(config);
    expect(wrong({ port: 1234 })).toThrow('there is no option "port": give it to relay.listen(port, host)');
    expect(wrong({ host: "localhost" })).toThrow('there is no option "host": give it to relay.listen(port, host)');
    expect(wrong({ stor: null })).toThrow(
      /^there is no option "stor"; there are authenticate, store, .*, pingInterval, /,
    );
  });

  it("[PRIV-2] takes lobby.rooms for lobbyRooms", () => {
    expect(resolveConfig({ lobby: { rooms: false } }).settings.lobbyRooms).toBe(false);
    expect(resolveConfig({}).settings.lobbyRooms).toBe(true);
  });

  it.each<[RelayConfig, string]>([
    [{ jwtSecret: "short" }, "jwtSecret must be at least 32 bytes long"],
    [{ jwtAudience: "me" }, "jwtAudience needs one of jwtSecret, jwtPublicKey, jwksUrl"],
    [{ jwtSecret: secret, authenticate: () => ({ userId: "a" }) }, "authenticate stands instead of a key"],
    [{ jwtSecret: undefined }, "jwtSecret is given, and undefined"],
    [{ jwtSecret: "" }, "jwtSecret must not be empty"],
    [{ jwtSecret: [] }, "jwtSecret is given, and empty"],
    [{ jwtSecret: [secret, undefined as unknown as string] }, "jwtSecret must be a text"],
    [{ jwtSecret: [secret, "short"] }, "jwtSecret must be at least 32 bytes long, each"],
    [{ jwtPublicKey: [] }, "jwtPublicKey is given, and empty"],
    [{ jwtPublicKey: "nonsense" }, "jwtPublicKey must be the PEM or JWK of a public key"],
    [{ jwksUrl: "ftp://a.example" }, "jwksUrl must be an http or https URL"],
  ])("[JWT-2] [KEY-3] refuses keys that are none, or to be guessed: %#", (config, message) => {
    expect(() => createRelay(config)).toThrow(message);
  });
});
