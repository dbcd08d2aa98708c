/**
 * Each editor of examples/editors in Chromium: Alice with our client, and Bob with ours or with y-websocket's. What was tried
 * is written into the table of docs/editors/README.md.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spawnRelay } from "../../e2e/demo/servers.ts";
import { caretUser } from "../../../src/editors/index.ts";
import { chromiumForFile, serveFolder } from "../../e2e/browser/pages.ts";
import { tokenFor } from "../../relay/tokens.ts";
import { pause, startRelay, until } from "../../support.ts";
import { installExample, runScript } from "../install.ts";
import { EDITORS, type EditorUnderTest } from "./editors.ts";
import { type Check, writeTable } from "./table.ts";
import { type Client, Visitor } from "./visitor.ts";

const chromium = chromiumForFile();
const wanted = process.env["COPRESENCE_EDITORS"]?.split(",");
const editors = EDITORS.filter(({ name }) => wanted?.includes(name) ?? true);
const results = new Map<EditorUnderTest, Map<Check, "passed" | "failed">>();
let folder: string;

beforeAll(async () => {
  folder = await installExample("editors");
  await runScript(folder, "build");
}, 600_000);

afterAll(() => writeTable(EDITORS, results));

/** Runs checks, and notes those that fail; one that the binding is known to fail is not run. */
function checks(editor: EditorUnderTest) {
  const failures: string[] = [];
  const seen = results.get(editor) ?? new Map<Check, "passed" | "failed">();
  results.set(editor, seen);
  const tries = async (name: Check, run: () => Promise<void>): Promise<void> => {
    if (editor.faults?.[name] !== undefined) return;
    try {
      await run();
      if (!seen.has(name)) seen.set(name, "passed");
    } catch (error) {
      seen.set(name, "failed");
      failures.push(`${name}: ${(error as Error).message}`);
    }
  };
  return { failures, tries };
}

/** `#2a73c4` as browsers compute it. */
const rgb = (color: string): string =>
  `rgb(${[1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)).join(", ")})`;

describe.each(editors)("$title", (editor) => {
  it.each<Client>(["own", "stock"])("with Alice on our client and Bob on %s", { timeout: 240_000 }, async (client) => {
    const site = await serveFolder(join(folder, "dist"));
    const relay = await spawnRelay(["--leave-grace", "1500"]);
    const address = (who: string, kind: Client): string =>
      `${site}/?editor=${editor.name}&name=${who}&client=${kind}&relay=${relay.url}`;
    const alice = await Visitor.open(chromium(), editor, address("Alice", "own"));
    const bob = await Visitor.open(chromium(), editor, address("Bob", client));
    const { failures, tries } = checks(editor);

    await tries("text", async () => {
      await alice.writes("Hello");
      await bob.reads(["Hello"]);
      await bob.writes("world");
      await alice.reads(["Hello", "world"]);
    });
    await tries("name", async () => {
      await alice.goesTo();
      await alice.sees(["Bob"]);
      await bob.sees(["Alice"]);
    });
    await tries("colour", async () => {
      expect((await alice.carets())[0]?.color).toBe(rgb(caretUser({ id: "bob" }).color));
      expect((await bob.carets())[0]?.color).toBe(rgb(caretUser({ id: "alice" }).color));
    });
    await tries("a rename shows at once", async () => {
      await bob.renames("Robert");
      await alice.sees(["Robert"], "content", 2_000);
      await alice.renames("Alicia");
      await bob.sees(["Alicia"], "content", 2_000);
    });
    await alice.renames("Alice");
    await bob.renames("Bob");
    await tries("undo leaves what others did", async () => {
      await alice.writes("AAA");
      await bob.reads(["Hello", "world", "AAA"]);
      await bob.writes("BBB");
      await alice.reads(["Hello", "world", "AAA", "BBB"]);
      await alice.goesTo();
      await alice.undoes(12);
      await bob.reads(["world", "BBB"]);
      await alice.reads(["world", "BBB"]);
    });
    await tries("carets for an editor that is mounted late", async () => {
      await bob.goesTo();
      await alice.sees(["Bob"]);
      await alice.does("unmount");
      await alice.does("mount");
      await alice.sees(["Bob"], "content", 3_000);
      await alice.goesTo();
      await bob.sees(["Alice"]);
    });
    await tries("StrictMode and hot reload", async () => {
      await bob.does("unmount", "mount", "unmount", "mount");
      await bob.writes("again");
      await alice.reads(["world", "BBB", "again"]);
      await alice.sees(["Bob"]);
      await bob.sees(["Alice"]);
    });
    await tries("caret gone on unmount, the user stays", async () => {
      await bob.does("unmount");
      await alice.sees([]);
      expect(await alice.people()).toContain("Bob");
      await bob.does("mount");
      await bob.goesTo();
      await alice.sees(["Bob"]);
    });
    await tries("one caret after a reload", async () => {
      await bob.page.reload();
      await bob.isReady();
      await bob.goesTo();
      await alice.sees(["Bob"]);
      // and there is never a second one
      for (let i = 0; i < 20; i++) {
        expect((await alice.carets()).length).toBeLessThanOrEqual(1);
        await pause(50);
      }
    });
    await tries("carets back after a restart of the relay", async () => {
      await alice.goesTo();
      await bob.goesTo();
      await relay.kill();
      await spawnRelay(["--leave-grace", "1500"], relay.port);
      const areBack = async (): Promise<boolean> => (await alice.isConnected()) && (await bob.isConnected());
      await until("both are connected", areBack, 30_000);
      await alice.sees(["Bob"], "content", 1_000);
      await bob.sees(["Alice"], "content", 1_000);
    });
    if (client === "own") {
      await tries("joined twice", async () => {
        await bob.does("rejoin");
        await bob.does("leave");
        await bob.goesTo();
        await bob.writes("more");
        await alice.reads(["world", "BBB", "again", "more"]);
        await alice.sees(["Bob"]);
      });
    }
    await tries("caret gone on `leave()`", async () => {
      await bob.does("leave");
      await alice.sees([], "content", 2_000);
    });
    await tries("caret gone when the tab is closed", async () => {
      await bob.page.reload();
      await bob.isReady();
      await bob.goesTo();
      await alice.sees(["Bob"]);
      await bob.page.close({ runBeforeUnload: false });
      await alice.sees([]);
    });
    expect(failures).toEqual([]);
  });

  it("with two fields, and where Bob may not write", { timeout: 120_000 }, async () => {
    const site = await serveFolder(join(folder, "dist"));
    const { failures, tries } = checks(editor);
    await tries("two editors on one awareness", async () => {
      const { url } = await startRelay();
      const address = (who: string): string => `${site}/?editor=${editor.name}&name=${who}&fields=one,two&relay=${url}`;
      const alice = await Visitor.open(chromium(), editor, address("Alice"));
      const bob = await Visitor.open(chromium(), editor, address("Bob"));
      await bob.writes("first", "one");
      await alice.reads(["first"], "one");
      await alice.sees(["Bob"], "one");
      await alice.sees([], "two");
      await bob.writes("second", "two");
      await alice.reads(["second"], "two");
      await alice.sees(["Bob"], "two");
      await alice.sees([], "one");
      // what Alice writes in one field takes away nobody's caret in the other
      await alice.writes("more", "one");
      await bob.reads(["first", "more"], "one");
      await bob.sees(["Alice"], "one");
      await alice.sees(["Bob"], "two");
    });
    await tries("read-only where `write` is not granted", async () => {
      const jwtSecret = "a secret of more than thirty-two bytes, for tests alone";
      const { url } = await startRelay({ jwtSecret });
      const address = async (who: string, grants: readonly string[]): Promise<string> => {
        const token = await tokenFor(
          { sub: who.toLowerCase(), name: who, rooms: { "*": grants, "@lobby": ["observe"] } },
          { secret: jwtSecret },
        );
        return `${site}/?editor=${editor.name}&name=${who}&relay=${url}&token=${token}`;
      };
      const all = ["observe", "presence", "read", "write"];
      const alice = await Visitor.open(chromium(), editor, await address("Alice", all));
      const bob = await Visitor.open(chromium(), editor, await address("Bob", all.slice(0, 3)));
      await alice.writes("before");
      await bob.reads(["before"]);
      // what cannot be clicked cannot be written in either
      await bob.writes("no").catch(() => {});
      await alice.writes("after");
      await bob.reads(["before", "after"]);
      await alice.reads(["before", "after"]);
    });
    expect(failures).toEqual([]);
  });
});
