/** Presence events, in words. */
import type { PresenceEvent, User } from "copresence";
import { titleOf } from "./documents.ts";
import { isolated } from "./isolated.ts";
import { activityOf, nameOf, noteOf } from "./presence.ts";

/** `kind` says what of somebody changed, so that a log can let the newest stand for a run of the same. */
export interface Description {
  readonly kind: string;
  readonly text: string;
}

const STATUS = {
  online: "is online",
  away: "is away",
  busy: "is busy",
  dnd: "asks not to be disturbed",
  offline: "is invisible", // to others that is a leave
};

/** @param room the open document, which tells of its own people */
export function describeLobby(event: PresenceEvent<unknown>, room: string): Description | null {
  const { user, type } = event;
  if (type === "join") return { kind: "join", text: "came online" };
  if (type === "leave") return { kind: "leave", text: "left" };
  const changes = [...differences(event.previous, user, room)];
  if (changes.length === 0) return null;
  return { kind: changes.map(([kind]) => kind).join(), text: changes.map(([, text]) => text).join(", ") };
}

function* differences(
  previous: User<unknown>,
  user: User<unknown>,
  room: string,
): Generator<[kind: string, text: string]> {
  if (user.reconnecting !== previous.reconnecting) {
    yield ["connection", user.reconnecting ? "was disconnected" : "is back"];
  }
  if (nameOf(user) !== nameOf(previous)) yield ["name", `was ${isolated(nameOf(previous))}`];
  if (user.status !== previous.status) yield ["status", STATUS[user.status]];
  const note = noteOf(user);
  if (note !== noteOf(previous)) yield ["note", note ? `says “${isolated(note)}”` : "cleared the note"];
  for (const name of user.rooms) {
    if (name !== room && !previous.rooms.includes(name)) yield ["place", `opened ${isolated(titleOf(name))}`];
  }
}

export function describeRoom(event: PresenceEvent<unknown>, room: string): Description | null {
  if (event.type === "join") return { kind: "join", text: `opened ${isolated(titleOf(room))}` };
  if (event.type === "leave") return { kind: "leave", text: `closed ${isolated(titleOf(room))}` };
  const now = activityOf(event.user);
  if (now === "" || now === activityOf(event.previous)) return null;
  return { kind: "activity", text: `is ${now.charAt(0).toLowerCase()}${now.slice(1)}` };
}
