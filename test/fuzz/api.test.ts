/**
 * Bad requests to the HTTP API of a relay in a process of its own: each is answered 4xx, and nothing else happens.
 * `npm run fuzz -- --requests 10000` sends more.
 */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { witnesses } from "../attacks/witnesses.ts";
import { runRelay } from "../faults/processes.ts";
import { SECRET } from "../relay/tokens.ts";
import { thoroughly } from "../thorough.ts";
import { type ApiDocument, type BadRequest, badRequests } from "./bad-requests.ts";

const REQUESTS = Number(process.env["FUZZ_REQUESTS"] ?? thoroughly(300, 2_000));
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const KEY = "a-key-that-is-not-to-be-seen";
const AT_ONCE = 8;
/** What the relay's memory may grow by once it is warm, bytes. */
const GROWTH = 64 * 2 ** 20;

it(
  `[API-16] [API-4] [API-19] ${REQUESTS} bad requests are answered 4xx, and disturb nobody`,
  { timeout: 3_600_000 },
  async () => {
    const {
      process: relay,
      url,
      errors,
      exit,
    } = await runRelay(["--jwt-secret", SECRET, "--api-key", KEY, "--api-rate", "0"]);
    const honest = await witnesses(url, "name");
    const api = `${url.replace("ws:", "http:")}/api/v1`;
    const document = (await (await fetch(`${api}/openapi.json`)).json()) as ApiDocument;
    const arbitrary = badRequests(document, KEY);
    const faults = new Map<string, number>();
    const wrong: unknown[] = [];
    let sent = 0;
    let warm = 0;
    const memory = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${relay.pid}/status`, "utf8"))?.[1]) * 1_024;

    const send = async ({ fault, method, path, headers, body }: BadRequest): Promise<void> => {
      const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
      const response = await fetch(`${api}${path}`, {
        method,
        headers,
        ...(bytes !== undefined && { body: new Uint8Array(bytes) }),
      });
      const text = await response.text();
      faults.set(fault.split(" ")[0] ?? "", (faults.get(fault.split(" ")[0] ?? "") ?? 0) + 1);
      const isRefused =
        response.status >= 400 && response.status < 500 && /^\{"error":\{"code":"\w+","message":".+"\}\}$/.test(text);
      if (!isRefused || text.includes(KEY))
        wrong.push({
          fault,
          method,
          path,
          body: String(body).slice(0, 300),
          status: response.status,
          text: text.slice(0, 300),
        });
    };
    while (sent < REQUESTS && wrong.length < 10) {
      const burst = fc.sample(arbitrary, { numRuns: Math.min(100, REQUESTS - sent), seed: SEED * 1_000_003 + sent });
      for (let i = 0; i < burst.length; i += AT_ONCE) await Promise.all(burst.slice(i, i + AT_ONCE).map(send));
      sent += burst.length;
      if (warm === 0 && sent >= REQUESTS / 5) warm = memory();
    }
    expect(wrong).toEqual([]);
    expect(faults.size).toBeGreaterThan(5);
    expect(exit()).toBeUndefined();
    expect(memory() - warm).toBeLessThan(GROWTH);
    expect(errors).toEqual([]);
    await honest.undisturbed();
    console.log(`${sent} requests:`, Object.fromEntries(faults));
  },
);
