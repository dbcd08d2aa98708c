/** That a member of a server is to go, as relays tell each other. */
import { FrameError, json } from "../../../wire/index.ts";
import type { ServerPlace } from "./elsewhere.ts";

const MAX_DEPTH = 2;

export function writePlace({ lobby, session }: ServerPlace): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([lobby, session]));
}

/** Throws `FrameError`. */
export function readPlace(room: string, body: Uint8Array): ServerPlace {
  const value = json(new TextDecoder().decode(body), MAX_DEPTH);
  const [lobby, session] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (typeof lobby === "string" && typeof session === "string") return { room, lobby, session };
  throw new FrameError("a member without a lobby or a session");
}
