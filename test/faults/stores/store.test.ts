/** A relay with a store, killed while people write. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { stockClient, until } from "../../support.ts";
import { thoroughly } from "../../thorough.ts";

/** How often the relay is killed. */
const KILLS = thoroughly(2, 6);

const cli = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url));

async function startOn(folder: string) {
  const child = spawn(process.execPath, [cli, "--port", "0", "--store", `file:${folder}`]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  child.stderr.on("data", (data: Buffer) => (said += data.toString()));
  await until("it listens", () => said.includes("listening on"), 15_000);
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { url: /ws:\S+/.exec(said)![0], kill };
}

it("[STORE-3] [STORE-7] what another had received 100 ms before the relay is killed is there when it is started again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "copresence-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let expected = "";
  for (let round = 0; round < KILLS; round++) {
    const relay = await startOn(folder);
    const [alice, bob] = [stockClient(relay.url, "doc"), stockClient(relay.url, "doc")];
    await until("both have what there was", () =>
      [alice, bob].every(({ synced, doc }) => synced && doc.getText("t").toJSON() === expected),
    );
    let typed = "";
    const typing = setInterval(() => {
      const letter = String.fromCharCode(97 + (typed.length % 26));
      typed += letter;
      alice.doc.getText("t").insert(alice.doc.getText("t").length, letter);
    }, 5);
    await until("he has seen a part of it", () => bob.doc.getText("t").length >= expected.length + 20 + 7 * round);
    const seen = bob.doc.getText("t").toJSON();
    // as long as a group may be gathered, and some for the append
    await until("it is appended", () => bob.doc.getText("t").length >= seen.length + 60, 10_000);
    await relay.kill();
    clearInterval(typing);
    for (const each of [alice, bob]) each.destroy();
    const again = await startOn(folder);
    const carol = stockClient(again.url, "doc");
    await until("she has the document", () => carol.synced);
    expect(carol.doc.getText("t").toJSON().startsWith(seen)).toBe(true);
    expected = carol.doc.getText("t").toJSON();
    carol.destroy();
    await again.kill();
  }
});
