import { describe, expect, it, onTestFinished, vi } from "vitest";
import { tabStorage, userStorage } from "../../src/client/storage.ts";

/** What a browser gives, as far as it is used. */
class WebStorage {
  readonly values = new Map<string, string>();
  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.values.set(key, value);
  }
}

class ForbiddenStorage extends WebStorage {
  override getItem(): never {
    throw new DOMException("denied", "SecurityError");
  }
  override setItem(): never {
    throw new DOMException("denied", "SecurityError");
  }
}

describe.for([
  { name: "sessionStorage", make: tabStorage },
  { name: "localStorage", make: userStorage },
])("what is kept in $name", ({ name, make }) => {
  const stub = (value: unknown): void => {
    vi.stubGlobal(name, value);
    onTestFinished(() => void vi.unstubAllGlobals());
  };

  it("is there for the next page", () => {
    const storage = new WebStorage();
    stub(storage);
    make().set("key", "value");
    expect([make().get("key"), make().get("other")]).toEqual(["value", null]);
    expect([...storage.values]).toEqual([["key", "value"]]);
  });

  it.for([
    ["there is none", undefined],
    ["it is forbidden", new ForbiddenStorage()],
  ] as const)("is in memory where %s", ([, value]) => {
    stub(value);
    const storage = make();
    storage.set("key", "value");
    expect([storage.get("key"), storage.get("other"), make().get("key")]).toEqual(["value", null, null]);
  });
});
