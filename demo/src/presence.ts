/**
 * The presence of this page, and what Quire says in its metadata: a note for the whole lobby, and in each document
 * what its reader or writer is at. Others write metadata too, so it is read with care.
 */
import { type JsonObject, type Presence, type User, createPresence } from "copresence";
import { identity, userOf } from "./identity.ts";

export type LobbyMeta = { readonly note: string };
export type Doing = "writing" | "reading";
/** The heading that one is under; the line, where there is none. */
export type RoomMeta = { readonly doing: Doing; readonly section?: string; readonly line?: number };

const query = new URLSearchParams(location.search);
const hiddenMs = query.get("hiddenMs");

export const relayUrl =
  query.get("relay") ?? `ws://${location.hostname}:${String(import.meta.env["VITE_RELAY_PORT"] ?? 1234)}`;

function lobbyMeta(): JsonObject {
  return { note: identity.get().note } satisfies LobbyMeta;
}

export interface Visit {
  readonly presence: Presence;
  /** The address of the relay. */
  readonly url: string;
  leave(): void;
}

/** @param token what the relay lets one in with; an open relay asks for none */
export function visit(url: string, token?: () => Promise<string>): Visit {
  const presence = createPresence(url, {
    user: userOf(identity.get()),
    meta: lobbyMeta(),
    ...(token !== undefined && { token }),
    ...(hiddenMs !== null && { activity: { hiddenMs: Number(hiddenMs) } }),
  });
  const undo = identity.subscribe(() => {
    const { name, color, colorLight } = userOf(identity.get());
    presence.setUser({ name, color, colorLight });
    presence.setMeta(lobbyMeta());
  });
  return {
    presence,
    url,
    leave() {
      undo();
      presence.destroy();
    },
  };
}

type Meta = { readonly meta: unknown };

function field(meta: unknown, key: keyof LobbyMeta | keyof RoomMeta): unknown {
  return typeof meta === "object" && meta !== null ? (meta as Record<string, unknown>)[key] : undefined;
}

export function noteOf(user: Meta): string {
  const note = field(user.meta, "note");
  return typeof note === "string" ? note.slice(0, 80) : "";
}

/** "Writing in Introduction", or nothing for one who says nothing. */
export function activityOf(user: Meta): string {
  const [doing, section, line] = [field(user.meta, "doing"), field(user.meta, "section"), field(user.meta, "line")];
  if (doing !== "writing" && doing !== "reading") return "";
  const where =
    typeof section === "string" ? ` in ${section.slice(0, 80)}` : typeof line === "number" ? ` on line ${line}` : "";
  return (doing === "writing" ? "Writing" : "Reading") + where;
}

export function isWriting(user: Meta): boolean {
  return field(user.meta, "doing") === "writing";
}

export function nameOf(user: Pick<User<unknown>, "name" | "guest">): string {
  return user.name?.trim() || (user.guest ? "Guest" : "Someone");
}
