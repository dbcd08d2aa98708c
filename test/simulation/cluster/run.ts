/** One seed: a random schedule of what goes wrong between relays, and with those who are connected to them. */
import type { VirtualClock } from "../clock.ts";
import { checkViews } from "../oracle.ts";
import { live, open, tidily } from "../run.ts";
import type { Page } from "../world.ts";
import { checkEmptyCluster, checkQuietCluster } from "./oracle.ts";
import { ClusterWorld } from "./world.ts";

const MAX_PAGES = 7;
/** By then everybody sees what was done in a world that is well, ms. */
const SEEN_MS = 1_000;

export function runClusterSeed(seed: number, clock: VirtualClock): ClusterWorld {
  return tidily(() => runWorld(seed, clock));
}

function runWorld(seed: number, clock: VirtualClock): ClusterWorld {
  clock.restart();
  const world = new ClusterWorld(seed, clock);
  const { random } = world;
  for (let i = random.int(2, 5); i > 0; i--) open(world);
  for (let round = random.int(1, 2); round > 0; round--) {
    for (let step = random.int(10, 40); step > 0; step--) {
      world.pass(random.chance(0.1) ? random.int(3_000, 15_000) : random.int(5, 1_500));
      act(world);
    }
    world.calm();
    world.quiet(100_000);
    checkQuietCluster(world);
    world.stir();
    world.pass(SEEN_MS);
    checkViews(world);
  }
  for (const page of world.pages) world.end(page, random.pick(["closed", "destroyed", "crashed", "vanished"]));
  world.pass(160_000);
  checkEmptyCluster(world);
  for (const { actor, hub } of world.live) clock.as(actor, () => void hub.close());
  return world;
}

function act(world: ClusterWorld): void {
  const { random } = world;
  const chance = random.next();
  if (chance < 0.04 && !world.recentlyRestarted) return world.restartRelay();
  if (chance < 0.08 && !world.isBusInTrouble) return world.troubleBus();
  if (chance < 0.1) return world.troubleStore();
  if (chance < 0.14) return world.compact();
  if (chance < 0.16) return world.setRelayClock();
  if (chance < 0.18 && !world.isBusInTrouble) {
    const part = (most: number): number => (random.chance(0.5) ? 0 : random.next() * most);
    return world.setWeather(
      { lost: part(0.1), twice: part(0.3), late: part(0.5), lateMs: 400 },
      random.int(1_000, 20_000),
    );
  }
  if (world.pages.size < MAX_PAGES && chance < 0.3) return open(world);
  const page = random.pick([...world.pages]);
  if (page === undefined) return;
  if (world.isBusInTrouble) world.excuse(page.user, 0);
  if (chance < 0.45 && page.busyUntil <= world.clock.now) return go(world, page);
  live(world, page);
}

function go(world: ClusterWorld, page: Page): void {
  world.checkWell(page);
  if (world.random.chance(0.8)) world.move(page);
  else world.alternate(page);
}
