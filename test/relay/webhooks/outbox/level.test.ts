import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { LevelOutbox } from "../../../../src/relay/webhooks/outbox/level.ts";
import { openOutbox } from "../../../../src/relay/webhooks/outbox/open.ts";
import { outboxContract } from "./contract.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "copresence-outbox-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openIn(folder: string): Promise<LevelOutbox> {
  const outbox = await LevelOutbox.open(folder);
  onTestFinished(() => outbox.close());
  return outbox;
}

outboxContract(() => openIn(temporaryFolder()));

it("what was written is there when it is opened again", async () => {
  const folder = temporaryFolder();
  const first = await openOutbox(`file:${folder}`);
  expect(first.isDurable).toBe(true);
  await first.write([
    { type: "queue", receiver: "a", number: 1, text: "hello" },
    { type: "note", name: "n", text: "v" },
  ]);
  await first.close();
  const again = await openIn(join(folder, "webhooks"));
  expect(await again.messages("a", 0, 5)).toEqual([{ number: 1, text: "hello" }]);
  expect(await again.notes()).toEqual(new Map([["n", "v"]]));
});

it("a folder that another has open is refused, and named", async () => {
  const folder = temporaryFolder();
  await openIn(folder);
  await expect(LevelOutbox.open(folder)).rejects.toThrow(`the outbox ${folder} cannot be opened`);
});

it("without a store that outlives the process it is in memory", async () => {
  expect((await openOutbox("memory")).isDurable).toBe(false);
});
