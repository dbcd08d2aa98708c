import { expect, it } from "vitest";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { SIGNING_SECRET, startReceiver } from "../webhooks/receiver.ts";

/** The samples of a page, by their names with labels. */
function samplesOf(page: string): ReadonlyMap<string, number> {
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

it("[SEE-1] the page says what the process takes, and how webhooks fare", async () => {
  const receiver = await startReceiver();
  const { relay, url } = await startRelay({ webhook: receiver.url, webhookSecret: SIGNING_SECRET });
  ownClient(url, "alice");
  await until("it is told", () => receiver.taken.length === 1);
  await until("it is counted", () => relay.metrics().webhooks?.[0]?.taken === 1);
  const samples = samplesOf(await relay.metricsText());
  expect(samples.get('copresence_webhooks_taken_total{receiver="1"}')).toBe(1);
  expect(samples.get('copresence_webhooks_down{receiver="1"}')).toBe(0);
  expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
  expect(samples.get("nodejs_heap_size_limit_bytes")).toBeGreaterThan(samples.get("nodejs_heap_size_used_bytes") ?? 0);
  expect(samples.get("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(await relay.metricsText()).not.toContain(receiver.url);
});

it("[SEE-2] the page holds histograms of flushes, freshness, messages and the event loop", async () => {
  const { relay, url } = await startRelay();
  const [alice, bob] = [stockClient(url, "doc"), stockClient(url, "doc")];
  await until("they are there", () => alice.synced && bob.synced);
  alice.awareness.setLocalStateField("cursor", 1);
  alice.doc.getText("t").insert(0, "hello");
  await until("he has it", () => bob.doc.getText("t").length === 5);
  const count = async (name: string) => samplesOf(await relay.metricsText()).get(name) ?? 0;
  for (const name of ["flush_seconds", "freshness_seconds", "message_bytes", "event_loop_delay_seconds"]) {
    await until(`${name} is measured`, async () => (await count(`copresence_${name}_count`)) > 0);
  }
});
