import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HEADINGS } from "../../../src/command/settings/headings.ts";
import { helpText } from "../../../src/command/settings/help.ts";
import { everySetting } from "../../../src/command/settings/specs.ts";

/** The flags under each heading. */
function flagsByHeading(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let flags: string[] = [];
  for (const line of helpText().split("\n")) {
    const heading = /^(\w[\w ]*):$/.exec(line)?.[1];
    if (heading !== undefined) found.set(heading, (flags = []));
    const flag = /^ {2}--([\w-]+)/.exec(line)?.[1];
    if (flag !== undefined) flags.push(flag);
  }
  return found;
}

describe("the help", () => {
  it("[RUN-9] lists each flag once, under what it is about", () => {
    const sections = flagsByHeading();
    expect([...sections.keys()]).toEqual(HEADINGS);
    const flags = [...sections.values()].flat();
    expect(flags.toSorted()).toEqual([...everySetting.map(({ flag }) => flag), "config", "help", "version"].toSorted());
    for (const [heading, flag] of [
      ["Listen", "port"],
      ["Access", "jwt-secret"],
      ["Access", "jwt-secret-file"],
      ["Documents", "store"],
      ["Presence", "leave-grace"],
      ["Limits", "message-rate"],
      ["Many relays", "bus"],
      ["Backends", "webhook"],
      ["Operate", "log-level"],
    ] as const) {
      expect(sections.get(heading)).toContain(flag);
    }
  });

  it("[RUN-9] lists no flag that README or a page in docs does not name", () => {
    const root = new URL("../../../", import.meta.url);
    const pages = ["README.md", ...readdirSync(new URL("docs", root)).map((file) => `docs/${file}`)];
    const text = pages
      .flatMap((page) => (page.endsWith(".md") ? readFileSync(new URL(page, root), "utf8") : []))
      .join();
    const named = new Set([...text.matchAll(/--(?:no-)?([a-z][a-z-]*[a-z])/g)].map(([, flag]) => flag));
    expect(everySetting.map(({ flag }) => flag).filter((flag) => !named.has(flag))).toEqual([]);
  });

  it("[RUN-9] says of each flag what value it takes, and what it is for", () => {
    for (const line of helpText()
      .split("\n")
      .filter((each) => each.startsWith("  --"))) {
      expect(line).toMatch(/^ {2}--[\w-]+(, -\w| \S+)? {2,}\S.+$/);
    }
  });
});
