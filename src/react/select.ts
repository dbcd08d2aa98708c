/** A selection of a store, as React state: it renders again only when what was selected changed. */
import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { Unsubscribe } from "../presence/index.ts";

export interface Store<S> {
  subscribe(listener: () => void): Unsubscribe;
  getSnapshot(): S;
}

export type Equal<T> = (a: T, b: T) => boolean;

/** Two arrays or plain objects with the same members, or the same value. */
export function shallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  const other = b as Record<string, unknown>;
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && Object.is((a as Record<string, unknown>)[key], other[key]))
  );
}

/**
 * What a selector takes of a store: the component renders again only when that changed. [REACT-1]
 *
 * @param store a source of immutable snapshots; null has the `empty` one, as everything has on the server
 * @param selector may be a new function at each render
 */
export function useSelected<S, T>(
  store: Store<S> | null,
  empty: S,
  selector: (snapshot: S) => T,
  equal: Equal<T> = shallowEqual,
): T {
  const rendered = useRef<Box<T> | null>(null);
  // read when a snapshot is selected from, as React's own useSyncExternalStoreWithSelector does
  // oxlint-disable-next-line react/refs, react/memo-dependencies -- a ref is stable
  const select = useMemo(() => selection(selector, equal, () => rendered.current), [selector, equal]);
  const subscribe = useCallback((listener: () => void) => store?.subscribe(listener) ?? (() => {}), [store]);
  const value = useSyncExternalStore(
    subscribe,
    () => select(store === null ? empty : store.getSnapshot()),
    // on a server [REACT-2]
    () => select(empty),
  );
  useEffect(() => {
    rendered.current = { value };
  }, [rendered, value]);
  return value;
}

interface Box<T> {
  readonly value: T;
}

/** Selects, but answers with what it answered before (or what was rendered) for as long as that is equal. */
function selection<S, T>(
  selector: (snapshot: S) => T,
  equal: Equal<T>,
  rendered: () => Box<T> | null,
): (snapshot: S) => T {
  let last: (Box<T> & { readonly snapshot: S }) | null = null;
  return (snapshot) => {
    if (last !== null && last.snapshot === snapshot) return last.value;
    const value = selector(snapshot);
    const before = last ?? rendered();
    last = { snapshot, value: before !== null && equal(before.value, value) ? before.value : value };
    return last.value;
  };
}
