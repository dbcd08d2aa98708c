/** What must hold of several relays once the world has been quiet. */
import * as Y from "yjs";
import { checkViews, keys, same, truth } from "../oracle.ts";
import { type Page, ROOMS, isInvisible } from "../world.ts";
import type { SimRelay } from "./relay.ts";
import type { ClusterWorld } from "./world.ts";

export function checkQuietCluster(world: ClusterWorld): void {
  checkViews(world);
  for (const relay of world.live) checkRelay(world, relay);
  for (const name of ROOMS) checkProven(world, name);
}

/** Whichever relay is asked, it knows all people, and as its own connections those that it has. */
function checkRelay(world: ClusterWorld, relay: SimRelay): void {
  const { hub, actor } = relay;
  const lobby = hub.core.lobbies.get("@lobby");
  const isAt = (page: Page): boolean => world.network.linksOf(page.actor).some((link) => link.server?.actor === actor);
  if (lobby !== undefined && [...world.own].some(isAt)) {
    same(world, `${actor.name}: users`, [...lobby.users.keys()].toSorted(), keys([...truth(world)]));
  }
  for (const name of ROOMS) {
    const all = [...world.pages].filter((page) => page.rooms.has(name));
    const here = all.filter(isAt);
    const room = hub.core.rooms.get(name);
    same(world, `${actor.name}: connections in ${name}`, hub.room(name)?.connections ?? 0, here.length);
    // of those who may not be seen their own relay alone knows
    const shown = all.filter((page) => isAt(page) || !isInvisible(page));
    const seen = here.length === 0 ? [] : shown.filter((page) => page.kind === "own" || !page.lurks);
    same(world, `${actor.name}: states in ${name}`, room?.register.size ?? 0, seen.length);
  }
}

/** What another client has seen, or the store has acknowledged, is in every later load. */
function checkProven(world: ClusterWorld, name: string): void {
  const texts = [...world.pages].flatMap((page) => {
    const words = page.rooms.get(name)?.doc.getArray<string>("words").toArray();
    return words === undefined ? [] : [{ who: page.actor.name, words: new Set(words) }];
  });
  texts.push({ who: "the store", words: new Set(stored(world, name)) });
  for (const token of world.proven.get(name) ?? []) {
    for (const { who, words } of texts) if (!words.has(token)) world.fail(`${who} has lost ${token} of ${name}`);
  }
}

function stored(world: ClusterWorld, name: string): string[] {
  const doc = new Y.Doc();
  const load = async (): Promise<void> => {
    const found = await world.store.kept.load(name, new AbortController().signal);
    const snapshot = found?.snapshot ?? null;
    if (snapshot !== null) Y.applyUpdate(doc, snapshot);
    for (const update of found?.updates ?? []) Y.applyUpdate(doc, update);
  };
  // the memory store answers at once, when what awaits it is run
  void load();
  world.clock.settle?.();
  const words = doc.getArray<string>("words").toArray();
  doc.destroy();
  return words;
}

/** Once everybody has left and been forgotten, no relay holds anything of anybody, nor of relays that are gone. */
export function checkEmptyCluster(world: ClusterWorld): void {
  for (const { hub, actor } of world.live) {
    const { rooms, lobbies } = hub.core;
    same(world, `${actor.name}: rooms left`, [...rooms.keys()], []);
    const lobby = lobbies.get("@lobby");
    if (lobby === undefined) continue;
    const others = world.live.filter((other) => other.actor !== actor && other.hub.core.lobbies.has("@lobby"));
    const shards = [...lobby.others.docs()].length;
    same(world, `${actor.name}: users left`, lobby.users.size, 0);
    same(world, `${actor.name}: connections left`, lobby.room.members.size, 0);
    same(world, `${actor.name}: shards of others`, shards, others.length);
    same(world, `${actor.name}: vouchers`, lobby.room.register.known, 1 + others.length);
    // links, beats, and the look who is there
    same(world, `${actor.name}: timers left`, world.clock.pending(actor), 3);
  }
}
