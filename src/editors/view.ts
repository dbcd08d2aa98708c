import type { Awareness } from "y-protocols/awareness";

/** What of an awareness is another in a view of it. */
export interface ViewOverrides {
  readonly getStates: () => Map<number, Record<string, unknown>>;
  readonly setLocalStateField?: (field: string, value: unknown) => void;
}

/** An awareness in which some methods are others; all else is that of the awareness itself. */
export function viewOf(awareness: Awareness, overrides: ViewOverrides): Awareness {
  return new Proxy(awareness, {
    get(target, key) {
      if (key === "getStates") return overrides.getStates;
      if (key === "states") return overrides.getStates();
      if (key === "setLocalStateField" && overrides.setLocalStateField) return overrides.setLocalStateField;
      const value: unknown = Reflect.get(target, key, target);
      // methods run on the real awareness, whose private fields a proxy does not have
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
