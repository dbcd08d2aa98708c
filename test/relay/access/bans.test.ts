import { expect, it } from "vitest";
import { Bans } from "../../../src/relay/access/bans.ts";

const ban = { until: 1_000, code: 4403, reason: "enough" };

it("[API-24] refuses a user in one lobby or in all of them, until the time is over", () => {
  const bans = new Bans();
  bans.add("bob", "@lobby/acme", ban);
  expect(bans.of("bob", "@lobby/acme", 999)).toEqual(ban);
  expect(bans.of("bob", "@lobby", 999)).toBeNull();
  expect(bans.of("bob", "@lobby/acme", 1_000)).toBeNull();
  bans.add("carol", null, ban);
  expect(bans.of("carol", "@lobby", 0)).toEqual(ban);
  bans.remove("carol", null);
  expect(bans.of("carol", "@lobby", 0)).toBeNull();
});

it("[API-24] refuses nobody else, whatever characters the names of users and lobbies hold", () => {
  const bans = new Bans();
  bans.add("x\nbob", "@lobby/a", ban);
  expect(bans.of("bob", "@lobby/a\nx", 0)).toBeNull();
  expect(bans.of("x\nbob", "@lobby/a", 0)).toEqual(ban);
});

it("[BUS-34] names whom it refuses as they were given", () => {
  const bans = new Bans();
  bans.add("x\nbob", "@lobby/a\nb", ban);
  bans.add("carol", null, ban);
  bans.add("dave", null, { ...ban, until: 10 });
  expect([...bans.all(10)]).toEqual([
    { userId: "x\nbob", lobby: "@lobby/a\nb", ban },
    { userId: "carol", lobby: null, ban },
  ]);
});
