/** What must hold once the world has been quiet: every observer's view equals the truth. */
import type { OwnPage, Page, World } from "./world.ts";
import { ROOMS, docOf, isInvisible } from "./world.ts";

interface Expected {
  readonly sessions: readonly string[];
  readonly rooms: readonly string[];
  readonly status: string;
  readonly metas: readonly number[];
  /** What the user is called by the pages of ours; of several, others see one. */
  readonly names: readonly (string | undefined)[];
}

export function checkQuiet(world: World): void {
  checkViews(world);
  checkRelay(world, truth(world));
}

/** What the pages see. */
export function checkViews(world: World): void {
  checkChoices(world);
  const users = truth(world);
  for (const page of world.own) {
    if (page.presence.lobby.status !== "live")
      world.fail(`${page.actor.name}'s lobby is ${page.presence.lobby.status}`);
    checkLobby(world, page, users);
    for (const name of page.rooms.keys()) checkRoom(world, page, name, users);
  }
  for (const page of world.stock) {
    for (const name of page.rooms.keys()) checkStock(world, page, name);
  }
  for (const name of ROOMS) checkDocument(world, name);
}

/** All sessions of a user hold the same choice of status: the last that was made. */
function checkChoices(world: World): void {
  for (const page of world.own) {
    const made = world.choices.filter((choice) => choice.page.user === page.user);
    // what a page chose that is gone by now, others may have heard or not; and where clocks are wrong, those who had not
    // heard of each other's choices may agree on any
    const last = made.findLastIndex((choice) => world.pages.has(choice.page));
    if (last < 0) continue;
    const { manual } = page.presence.status;
    const possible = made.slice(world.isAnyClockSet ? 0 : last).map(({ status }) => status);
    if (!possible.includes(manual)) world.fail(`${page.actor.name} is ${manual}, but chose ${possible.join(" or ")}`);
  }
  for (const a of world.own) {
    for (const b of world.own) {
      if (a.user !== b.user || a.presence.status.manual === b.presence.status.manual) continue;
      world.fail(
        `${a.actor.name} is ${a.presence.status.manual} and ${b.actor.name}, the same user, ${b.presence.status.manual}`,
      );
    }
  }
}

/** Who is present in the whole application, invisible users left out. */
export function truth(world: World): Map<string, Expected> {
  const users = new Map<string, Expected>();
  for (const user of new Set([...world.pages].map((page) => page.user))) {
    const pages = [...world.pages].filter((page) => page.user === user && !isInvisible(page) && isHere(page));
    if (pages.length > 0) users.set(user, expect(world, pages));
  }
  return users;
}

/** A page of ours is in the lobby; a stock one only through its rooms. */
function isHere(page: Page): boolean {
  return page.kind === "own" || page.rooms.size > 0;
}

function expect(world: World, pages: readonly Page[]): Expected {
  const sessions = pages.flatMap(sessionsOf);
  const own = pages.filter((page): page is OwnPage => page.kind === "own");
  return {
    sessions: (world.mayShareSessions ? [...new Set(sessions)] : sessions).toSorted(),
    rooms: [...new Set(pages.flatMap((page) => [...page.rooms.keys()]))].toSorted(),
    status: own[0]?.presence.status.manual ?? "online",
    metas: own.map((page) => page.meta).toSorted(byValue),
    names: own.map((page) => page.presence.user.name),
  };
}

function sessionsOf(page: Page): string[] {
  if (page.kind === "own") return [page.presence.session];
  return [...page.rooms.values()].map((provider) => `client:${provider.awareness.clientID}`);
}

function checkLobby(world: World, page: OwnPage, users: ReadonlyMap<string, Expected>): void {
  const { lobby } = page.presence;
  const seen = lobby.users.filter((user) => !user.self);
  const others = [...users].filter(([user]) => user !== page.user);
  same(world, `${page.actor.name}: who is in the lobby`, seen.map((user) => user.id).toSorted(), keys(others));
  for (const [id, expected] of others) {
    const user = lobby.get(id)!;
    const about = `${page.actor.name}: ${id} in the lobby`;
    same(world, `${about}: sessions`, user.sessions.map((session) => session.id).toSorted(), expected.sessions);
    same(world, `${about}: rooms`, user.rooms, expected.rooms);
    same(world, `${about}: status`, user.status, expected.status);
    same(world, `${about}: reconnecting`, user.reconnecting, false);
    if (expected.names.length > 0) same(world, `${about}: name`, expected.names.includes(user.name), true);
    if (expected.metas.length > 0) {
      if (world.mayShareSessions && expected.sessions.length < expected.metas.length) continue;
      const metas = user.sessions.map((session) => session.meta.n).toSorted(byValue);
      same(world, `${about}: metadata`, metas, expected.metas);
    }
  }
  const mine = world.own.filter((other) => other.user === page.user).map((other) => other.presence.session);
  const all = world.mayShareSessions ? [...new Set(mine)] : mine;
  const self = isInvisible(page) ? [page.presence.session] : all.toSorted();
  same(world, `${page.actor.name}: own sessions`, lobby.self!.sessions.map((session) => session.id).toSorted(), self);
}

function checkRoom(world: World, page: OwnPage, name: string, users: ReadonlyMap<string, Expected>): void {
  const { roster } = page.rooms.get(name)!;
  const expected = [...users].filter(([user, { rooms }]) => user !== page.user && rooms.includes(name));
  const seen = roster.users.filter((user) => !user.self);
  same(world, `${page.actor.name}: status of ${name}`, roster.status, "live");
  same(world, `${page.actor.name}: who is in ${name}`, seen.map((user) => user.id).toSorted(), keys(expected));
  for (const user of seen) {
    const pages = [...world.pages].filter((other) => other.user === user.id && other.rooms.has(name));
    same(world, `${page.actor.name}: sessions of ${user.id} in ${name}`, user.sessions.length, pages.length);
    same(world, `${page.actor.name}: ${user.id} in ${name} is reconnecting`, user.reconnecting, false);
    // a stock client has none
    const metas = pages.flatMap((other) => (other.kind === "own" ? [other.roomMetas.get(name) ?? 0] : []));
    const shown = user.sessions.flatMap(({ meta: { n } }) => (typeof n === "number" ? [n] : []));
    const about = `${page.actor.name}: metadata of ${user.id} in ${name}`;
    same(world, about, shown.toSorted(byValue), metas.toSorted(byValue));
  }
  checkStates(world, page, name);
}

function checkStock(world: World, page: Page, name: string): void {
  checkStates(world, page, name);
}

/** The awareness of a client, ours or stock, holds exactly the states of who is in the room, as they are. */
function checkStates(world: World, page: Page, name: string): void {
  const { awareness } = page.rooms.get(name)!;
  // nobody but its author changes a state
  const cursor = awareness.getLocalState()?.["cursor"] as { readonly x: number } | undefined;
  same(world, `${page.actor.name}: own cursor in ${name}`, cursor?.x, page.cursors.get(name));
  const members = [...world.pages].filter((other) => other !== page && other.rooms.has(name) && !isInvisible(other));
  const expected = members.map((other) => other.rooms.get(name)!.awareness);
  const seen = [...awareness.states.keys()].filter((id) => id !== awareness.clientID).toSorted(byValue);
  const ids = expected.map((other) => other.clientID).toSorted(byValue);
  same(world, `${page.actor.name}: states in ${name}`, seen, ids);
  for (const other of expected) {
    const [theirs, ours] = [other.getLocalState(), awareness.states.get(other.clientID)];
    same(world, `${page.actor.name}: state of ${other.clientID} in ${name}`, ours, theirs);
  }
}

function checkDocument(world: World, name: string): void {
  const pages = [...world.pages].filter((page) => page.rooms.has(name));
  const texts = pages.map((page) => docOf(page, name).getArray<string>("words").toArray().join(" "));
  for (const [i, text] of texts.entries()) {
    same(world, `${pages[i]!.actor.name}: text of ${name}`, text, texts[0]);
  }
  if (texts.length === 0) return;
  for (const token of world.kept.get(name) ?? []) {
    if (!texts[0]!.includes(token)) world.fail(`${token}, which was in ${name}, is lost`);
  }
  world.kept.set(name, texts[0]!.split(" "));
  for (const page of pages) {
    for (const token of page.wrote.get(name) ?? []) {
      if (!texts[0]!.includes(token)) world.fail(`${token}, which ${page.actor.name} wrote in ${name}, is lost`);
    }
  }
}

function checkRelay(world: World, users: ReadonlyMap<string, Expected>): void {
  const lobby = world.hub!.core.lobbies.get("@lobby");
  same(world, "relay: users", [...(lobby?.users.keys() ?? [])].toSorted(), keys([...users]));
  for (const name of ROOMS) {
    const here = [...world.pages].filter((page) => page.rooms.has(name));
    const seen = here.filter((page) => page.kind === "own" || !page.lurks);
    same(world, `relay: connections in ${name}`, world.hub!.core.rooms.get(name)?.members.size ?? 0, here.length);
    same(world, `relay: states in ${name}`, world.hub!.core.rooms.get(name)?.register.size ?? 0, seen.length);
  }
}

/** Once everybody has left and been forgotten, the relay holds nothing of them but, in the lobby, who left lately. */
export function checkEmpty(world: World): void {
  const { rooms, lobbies } = world.hub!.core;
  const lobby = lobbies.get("@lobby");
  same(world, "relay: rooms left", [...rooms.keys()], []);
  if (lobby === undefined) return;
  same(world, "relay: users left", lobby.users.size, 0);
  same(world, "relay: connections left", lobby.room.members.size, 0);
  same(world, "relay: states left or remembered, beside its own", lobby.room.register.known, 1);
  // what is left looks at the connections, of which there are none
  same(world, "relay: timers left", world.clock.pending(world.server!.actor), 1);
}

export function keys(entries: readonly (readonly [string, unknown])[]): string[] {
  return entries.map(([key]) => key).toSorted();
}

function byValue(a: number, b: number): number {
  return a - b;
}

export function same(world: World, what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) world.fail(`${what}: ${a}, but should be ${b}`);
}
