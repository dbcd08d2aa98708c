/**
 * People as the API says them. A user of the relay is the same object for as long as nothing about the user changes, so the JSON
 * of each is made once, however often it is asked for.
 */
import { createHash } from "node:crypto";
import type { Session, User } from "../../../presence/index.ts";

interface Written {
  /** JSON without its last brace, and without `lastSeen`: that of a user who is here is the time of asking. */
  readonly text: string;
  readonly digest: string;
}

const written = new WeakMap<User, Written>();

/** A user as JSON. @param now ms since the epoch */
export function userJson(user: User, now: number): string {
  const lastSeen = user.sessions.length > 0 ? now : user.lastSeen;
  return `${write(user).text},"lastSeen":${lastSeen}}`;
}

/** Somebody who is not here, and of whom nobody is known to have left. */
export function unknownUserJson(id: string): string {
  return JSON.stringify({ id, status: "offline", sessions: [], rooms: [], lastSeen: null });
}

/** A text that changes when anything that is said of the user does. The time of asking is not looked at. [API-13] */
export function digestOf(user: User): string {
  return write(user).digest;
}

function write(user: User): Written {
  const known = written.get(user);
  if (known !== undefined) return known;
  const { lastSeen, self: _, sessions, ...rest } = user;
  const text = JSON.stringify({ ...rest, sessions: sessions.map(sessionOf) }).slice(0, -1);
  const content = sessions.length > 0 ? text : `${text}${lastSeen}`;
  const made = { text, digest: createHash("sha1").update(content).digest("base64url") };
  written.set(user, made);
  return made;
}

function sessionOf(session: Session): object {
  const { clientId: _, ...rest } = session;
  return rest;
}

/** How many people there are, and of which status. */
export interface Counts {
  readonly users: number;
  readonly online: number;
  readonly away: number;
  readonly busy: number;
  readonly dnd: number;
}

export function countsOf(users: Iterable<User>): Counts {
  const counts = { users: 0, online: 0, away: 0, busy: 0, dnd: 0 };
  for (const { status } of users) {
    counts.users++;
    if (status !== "offline") counts[status]++;
  }
  return counts;
}
