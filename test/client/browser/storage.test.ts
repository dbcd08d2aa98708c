import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type PresenceStorage, tabStorage, userStorage } from "../../../src/client/browser/storage.ts";
import { ownClient } from "../../support.ts";

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

class FullStorage extends WebStorage {
  override setItem(): never {
    throw new DOMException("full", "QuotaExceededError");
  }
}

/** That of some private modes: nothing fails, and nothing is kept. */
class ForgetfulStorage extends WebStorage {
  override setItem(): void {}
}

describe.for([
  { name: "sessionStorage", make: tabStorage },
  { name: "localStorage", make: userStorage },
])("what is kept in $name", ({ name, make }) => {
  const stub = (value: unknown): void => {
    vi.stubGlobal("window", { [name]: value });
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
    ["it is full", new FullStorage()],
    ["it forgets", new ForgetfulStorage()],
  ] as const)("is in memory where %s", ([, value]) => {
    stub(value);
    const storage = make();
    storage.set("key", "value");
    expect([storage.get("key"), storage.get("other"), make().get("key")]).toEqual(["value", null, null]);
  });

  it("[STATE-6] is what was written last, though an older value stands where nothing can be written any more", () => {
    const storage = new WebStorage();
    stub(storage);
    const kept = make();
    kept.set("choice", "dnd");
    storage.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    kept.set("choice", "busy");
    expect([kept.get("choice"), storage.values.get("choice")]).toEqual(["busy", "dnd"]);
    // for each key by itself: what another tab writes under another key is read
    storage.values.set("other", "theirs");
    expect(kept.get("other")).toBe("theirs");
  });

  it("[STATE-6] is what was written last, though nothing can be read any more", () => {
    const storage = new WebStorage();
    stub(storage);
    const kept = make();
    kept.set("choice", "dnd");
    storage.getItem = () => {
      throw new DOMException("denied", "SecurityError");
    };
    expect([kept.get("choice"), kept.get("other")]).toEqual(["dnd", null]);
  });

  it("[STATE-6] is what another tab wrote since, where the storage works", () => {
    const storage = new WebStorage();
    stub(storage);
    const kept = make();
    kept.set("choice", "dnd");
    storage.values.set("choice", "busy");
    expect(kept.get("choice")).toBe("busy");
  });

  it("is in memory where there is no page, though the process has a storage for all", () => {
    onTestFinished(() => void vi.unstubAllGlobals());
    const shared = new WebStorage();
    vi.stubGlobal(name, shared);
    const storage = make();
    storage.set("key", "value");
    expect([storage.get("key"), shared.values.size]).toEqual(["value", 0]);
  });
});

describe("a storage that the application gives", () => {
  it("[STATE-6] may fail: the choice of status is made all the same", () => {
    const failing: PresenceStorage = {
      get() {
        throw new Error("closed");
      },
      set() {
        throw new Error("closed");
      },
    };
    const alice = ownClient("ws://127.0.0.1:1", "alice", { tabStorage: failing, userStorage: failing });
    alice.setStatus("dnd");
    expect(alice.status.manual).toBe("dnd");
  });
});
