/** What a client remembers: its session id for the life of the tab, the user's choice of status for longer. */
export interface PresenceStorage {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

/**
 * [STATE-6] A storage that may fail (it is full, forbidden, or keeps nothing in private mode), backed by memory: what was
 * written last is what is read.
 */
function reliable(storage: PresenceStorage): PresenceStorage {
  const written = new Map<string, { readonly value: string; readonly isKept: boolean }>();
  const read = (key: string): string | null | undefined => {
    try {
      return storage.get(key);
    } catch {
      return undefined;
    }
  };
  return {
    get(key) {
      const last = written.get(key);
      if (last?.isKept === false) return last.value;
      // another tab may have written since
      const value = read(key);
      return value === undefined ? (last?.value ?? null) : value;
    },
    set(key, value) {
      try {
        storage.set(key, value);
      } catch {
        // what is read below tells
      }
      written.set(key, { value, isKept: read(key) === value });
    },
  };
}

/** A browser's storage. Where there is no page it is not asked for: Node's is shared by all clients of a process. */
function web(name: "sessionStorage" | "localStorage"): PresenceStorage {
  const page = (globalThis as { readonly window?: Window }).window;
  return {
    get: (key) => page?.[name].getItem(key) ?? null,
    set: (key, value) => page?.[name].setItem(key, value),
  };
}

/** Survives a reload of this tab, and no more. */
export const tabStorage = (given: PresenceStorage = web("sessionStorage")): PresenceStorage => reliable(given);
/** Survives the browser, and is shared by its tabs. */
export const userStorage = (given: PresenceStorage = web("localStorage")): PresenceStorage => reliable(given);
