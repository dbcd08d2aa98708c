/** One seed: a random schedule of what goes wrong in the life of a room, and the oracles after it. */
import type { VirtualClock } from "./clock.ts";
import { checkEmpty, checkQuiet } from "./oracle.ts";
import { type OwnPage, ROOMS, type Page, World } from "./world.ts";

const MAX_PAGES = 9;

export function runSeed(seed: number, clock: VirtualClock): World {
  return tidily(() => runWorld(seed, clock));
}

export function tidily<T>(run: () => T): T {
  const before = new Set(process.listeners("exit"));
  try {
    return run();
  } finally {
    // y-websocket's providers listen for the end of the process, those too whose page crashed
    for (const listener of process.listeners("exit")) if (!before.has(listener)) process.off("exit", listener);
  }
}

function runWorld(seed: number, clock: VirtualClock): World {
  clock.restart();
  const world = new World(seed, clock);
  const { random } = world;
  for (let i = random.int(2, 5); i > 0; i--) open(world);
  for (let round = random.int(1, 3); round > 0; round--) {
    for (let step = random.int(10, 50); step > 0; step--) {
      world.pass(random.chance(0.1) ? random.int(5_000, 40_000) : random.int(5, 2_000));
      act(world);
    }
    world.quiet(100_000);
    checkQuiet(world);
  }
  for (const page of world.pages) world.end(page, random.pick(["closed", "destroyed", "crashed", "vanished"]));
  world.pass(160_000);
  checkEmpty(world);
  clock.as(world.server!.actor, () => void world.hub!.close());
  return world;
}

export function open(world: World): void {
  const { random } = world;
  if (random.chance(0.3)) {
    const page = world.openStock();
    // before it has heard what others are told of it
    if (random.chance(0.5)) world.moveCursor(page);
    return;
  }
  const page = world.openOwn(undefined, undefined, random.chance(0.2) ? random.pick([-3_600_000, 3_600_000]) : 0);
  for (const room of ROOMS) if (random.chance(0.5)) world.join(page, room);
}

/** Does one thing that happens in real life. */
function act(world: World): void {
  const { random } = world;
  if (random.chance(0.02) && !world.recentlyRestarted) return world.restartRelay();
  if (random.chance(0.02) && !world.recentlyRestarted) return world.cutAll();
  if (random.chance(0.03)) return world.setRelayClock();
  if (world.pages.size < MAX_PAGES && random.chance(0.12)) return open(world);
  const page = random.pick([...world.pages]);
  if (page !== undefined) live(world, page);
}

/** A page does something, or something happens to it. */
export function live(world: World, page: Page): void {
  if (page.busyUntil > world.clock.now) return;
  world.checkWell(page);
  if (world.random.chance(0.6)) return say(world, page);
  trouble(world, page);
}

function say(world: World, page: Page): void {
  const { random } = world;
  const others: ((page: Page) => void)[] = [
    (each) => world.edit(each),
    (each) => world.moveCursor(each),
    (each) => world.moveCursor(each),
  ];
  const own: ((page: OwnPage) => void)[] = [
    (each) => world.setMeta(each),
    (each) => world.setStatus(each),
    (each) => world.rename(each),
  ];
  if (page.kind === "own" && random.chance(0.4)) return random.pick(own)(page);
  if (page.kind === "stock" && random.chance(0.1)) return world.sayOtherGone(page);
  random.pick(others)(page);
}

function trouble(world: World, page: Page): void {
  const { random } = world;
  const room = random.pick(ROOMS);
  switch (random.int(0, 14)) {
    case 0:
      return world.join(page, room);
    case 1:
      if (page.rooms.has(room)) world.leave(page, room);
      return;
    case 2:
      return world.end(page, random.pick(["closed", "destroyed", "crashed", "vanished"]));
    case 3:
    case 4:
      if (page.kind === "own" && page.actor.mode === "running") world.reload(page);
      return;
    case 5:
    case 6:
      return world.resetLinks(page);
    case 7:
      return world.blackHole(page, random.chance(0.5) ? random.int(50, 1_200) : random.int(3_000, 60_000));
    case 8:
      if (page.actor.mode === "running")
        world.stop(page, random.chance(0.5) ? random.int(50, 1_200) : random.int(3_000, 60_000));
      return;
    case 9:
      if (page.actor.mode === "running") world.freeze(page, random.int(1_000, 120_000));
      return;
    case 10:
      return world.setHidden(page, true);
    case 11:
      if (page.actor.mode === "running" && !page.hidden) world.cutSilently(page);
      return;
    case 13:
      if (page.kind === "own") world.setClock(page);
      return;
    case 12:
      if (page.kind === "own" && world.isWell(page) && world.pages.size < MAX_PAGES) world.duplicate(page);
      return;
    default:
      return world.setHidden(page, false);
  }
}
