/** What a client remembers: its session id for the life of the tab, the user's choice of status for longer. */
export interface PresenceStorage {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

/** A browser's storage, or memory where there is none or it is forbidden. */
function web(name: "sessionStorage" | "localStorage"): PresenceStorage {
  const memory = new Map<string, string>();
  return {
    get(key) {
      try {
        return globalThis[name].getItem(key);
      } catch {
        return memory.get(key) ?? null;
      }
    },
    set(key, value) {
      try {
        globalThis[name].setItem(key, value);
      } catch {
        memory.set(key, value);
      }
    },
  };
}

/** Survives a reload of this tab, and no more. */
export const tabStorage = (): PresenceStorage => web("sessionStorage");
/** Survives the browser, and is shared by its tabs. */
export const userStorage = (): PresenceStorage => web("localStorage");
