/** Documents are rooms; the one that is open is named by the URL's hash (`#/field-notes`). */
import { useSyncExternalStore } from "react";

export const seeds = ["field-notes", "letter-from-the-coast", "reading-list", "the-long-way-home"] as const;

const KEY = "quire:documents";

/** A room name made of what somebody typed: `Field notes!` → `field-notes`. */
export function slugOf(title: string): string {
  const words = title
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .match(/[\p{L}\p{N}]+/gu);
  return (words ?? []).join("-").slice(0, 60);
}

export function titleOf(name: string): string {
  const words = name.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function hrefOf(name: string): string {
  return `#/${encodeURIComponent(name)}`;
}

function fromHash(): string {
  try {
    return slugOf(decodeURIComponent(location.hash.replace(/^#\/?/, ""))) || seeds[0];
  } catch {
    return seeds[0];
  }
}

function onHash(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

export function useDocument(): string {
  return useSyncExternalStore(onHash, fromHash);
}

/** The documents that this browser made. */
export function made(): string[] {
  return (localStorage.getItem(KEY) ?? "").split("\n").filter(Boolean);
}

export function open(name: string): void {
  if (!made().includes(name)) localStorage.setItem(KEY, [...made(), name].join("\n"));
  location.hash = hrefOf(name);
}
