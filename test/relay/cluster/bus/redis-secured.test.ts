/** The bus over a Redis that asks who comes: TLS with a certificate of one's own, and a user who may use the bus and nothing else. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, onTestFinished } from "vitest";
import { freePort } from "../../../../scripts/cluster/processes.js";
import { run } from "../../../faults/processes.ts";
import { startRedis } from "../../redis.ts";
import { until } from "../../../support.ts";

/** A certificate for this machine that nobody but who is given it trusts. */
function selfSigned(): { readonly key: string; readonly certificate: string } {
  const folder = mkdtempSync(join(tmpdir(), "copresence-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...name], {
    stdio: "ignore",
  });
  return { key, certificate };
}

it(
  "[BUS-23] relays reach Redis over TLS, as a user who may use the bus alone, and those who may not are told why",
  { timeout: 120_000 },
  async () => {
    const { key, certificate } = selfSigned();
    const tlsPort = await freePort();
    const tls = ["--tls-port", `${tlsPort}`, "--tls-cert-file", certificate, "--tls-key-file", key];
    const users =
      "--user default off --user relay on >secret resetkeys resetchannels &cp1:* -@all +@pubsub +@connection";
    await startRedis(...tls, "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no", ...users.split(" "));
    const bus = `rediss://relay:secret@localhost:${tlsPort}`;
    const start = async (flags: readonly string[], trusts: boolean) => {
      const port = await freePort();
      const env = trusts ? { NODE_EXTRA_CA_CERTS: certificate } : {};
      const relay = run("dist/cli.js", ["--host", "127.0.0.1", "--port", `${port}`, "--bus", bus, ...flags], env);
      const page = async (path: string): Promise<string> =>
        (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } })).text();
      await until("it listens", () => relay.lines.length > 0, 60_000);
      return { relay, page };
    };
    const both = [await start([], true), await start([], true)];
    for (const { page } of both) {
      await until(
        "it hears the other",
        async () => (await page("/metrics")).includes("copresence_bus_relays 1\n"),
        30_000,
      );
      await until("it hears itself, too", async () => (await page("/readyz")) === "ready\n", 30_000);
    }
    const stranger = await start([], false);
    await until("it says why", () => stranger.relay.errors.some((line) => /certificate/.test(line)), 30_000);
    const elsewhere = await start(["--bus-prefix", "other:"], true);
    await until("it says why", () => elsewhere.relay.errors.some((line) => /NOPERM/.test(line)), 30_000);
  },
);
