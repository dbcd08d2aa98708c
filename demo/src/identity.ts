/**
 * Who the visitor is: the one who signed in. Where nobody does, a new one gets a name and a colour; both are kept in this
 * browser, so that its second tab is the same person. Query parameters (`?id=…&name=…&color=…`) make somebody else, for
 * as long as the page is open.
 */
import type { UserInfo } from "copresence";

export interface Identity {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  /** What they are up to, for everyone to see. */
  readonly note: string;
}

interface Color {
  readonly name: string;
  readonly value: string;
}

/** Dark enough for white initials (4.5 : 1), light enough for a caret on a dark page (3 : 1). */
export const colors: readonly [Color, ...Color[]] = [
  { name: "Coral", value: "#c24d33" },
  { name: "Amber", value: "#a1630f" },
  { name: "Moss", value: "#557a1c" },
  { name: "Fern", value: "#26804f" },
  { name: "Lagoon", value: "#0c7d85" },
  { name: "Sea", value: "#2a73c4" },
  { name: "Iris", value: "#5b69dd" },
  { name: "Violet", value: "#8a58d3" },
  { name: "Orchid", value: "#b5459d" },
  { name: "Rose", value: "#cc4469" },
];

const MANNERS = [
  "Quiet",
  "Early",
  "Bright",
  "Gentle",
  "Curious",
  "Steady",
  "Merry",
  "Patient",
  "Brisk",
  "Mellow",
] as const;
const BIRDS = [
  "Heron",
  "Wren",
  "Plover",
  "Finch",
  "Swift",
  "Curlew",
  "Lark",
  "Siskin",
  "Avocet",
  "Dipper",
  "Owl",
] as const;
const KEY = "quire:identity";
const NOTE_KEY = "quire:note";

function pick<T>(from: readonly [T, ...T[]]): T {
  return from[Math.floor(Math.random() * from.length)] ?? from[0];
}

function parse(text: string | null): Identity | null {
  try {
    const value = JSON.parse(text ?? "null") as Partial<Identity> | null;
    const { id, name, color, note = "" } = value ?? {};
    const whole = typeof id === "string" && typeof name === "string" && typeof color === "string";
    return whole ? { id, name, color, note } : null;
  } catch {
    return null;
  }
}

function invent(): Identity {
  const id = `u_${Array.from(crypto.getRandomValues(new Uint8Array(8)), (n) => n.toString(36).padStart(2, "0")).join("")}`;
  return { id, name: `${pick(MANNERS)} ${pick(BIRDS)}`, color: pick(colors).value, note: "" };
}

const query = new URLSearchParams(location.search);
const overridden = ["id", "name", "color"].some((key) => query.has(key));

function first(): Identity {
  const invented = invent();
  if (overridden) {
    const { id, name, color, note } = invented;
    return { id: query.get("id") ?? id, name: query.get("name") ?? name, color: query.get("color") ?? color, note };
  }
  const kept = parse(localStorage.getItem(KEY));
  if (kept === null) localStorage.setItem(KEY, JSON.stringify(invented));
  return kept ?? invented;
}

let current = first();
let signedIn = false;
const listeners = new Set<() => void>();

export const identity = {
  get: (): Identity => current,
  set(change: Partial<Omit<Identity, "id">>): void {
    current = { ...current, ...change };
    if (signedIn) localStorage.setItem(NOTE_KEY, current.note);
    else if (!overridden) localStorage.setItem(KEY, JSON.stringify(current));
    for (const listener of listeners) listener();
  },
  /** From now on it is whom the server says; of what is kept in this browser, only the note is theirs to change. */
  signIn({ id, name, color }: Omit<Identity, "note">): void {
    signedIn = true;
    current = { id, name, color, note: localStorage.getItem(NOTE_KEY) ?? "" };
    for (const listener of listeners) listener();
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

// changed in another tab
addEventListener("storage", (event) => {
  const next = event.key === KEY && !overridden && !signedIn ? parse(event.newValue) : null;
  if (next === null || next.id !== current.id) return;
  current = next;
  for (const listener of listeners) listener();
});

export function userOf({ id, name, color }: Identity): Required<Omit<UserInfo, "avatar">> {
  return { id, name, color, colorLight: `${color}33` };
}
