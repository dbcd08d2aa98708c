import { expect, it } from "vitest";
import { Beats } from "../../../src/relay/cluster/beats.ts";

function setup() {
  const news: string[] = [];
  let now = 0;
  const beats = new Beats(
    { now: () => now, wall: () => now },
    {
      link: (isUp) => news.push(isUp ? "up" : "down"),
      skipped: () => news.push("skipped"),
      found: (relay) => news.push(`+${relay}`),
      lost: (relay) => news.push(`-${relay}`),
    },
  );
  const run = (ms: number, others: readonly string[], isEchoed = true): void => {
    for (const end = now + ms; now < end;) {
      now += 250;
      if (now % 1_000 === 0) {
        const number = beats.next();
        if (isEchoed) beats.echoed(number);
        for (const other of others) beats.heard(other);
      }
      beats.check();
    }
  };
  const stall = (ms: number): void => {
    now += ms;
    beats.check();
  };
  return { news, beats, run, stall };
}

it("[BUS-16] a relay that is not heard for 2.5 s is lost, and found again when it is heard", () => {
  const { news, run } = setup();
  run(5_000, ["b", "c"]);
  run(2_500, ["c"]);
  expect(news).toEqual(["+b", "+c"]);
  run(500, ["c"]);
  expect(news.slice(2)).toEqual(["-b"]);
  run(2_000, ["b", "c"]);
  expect(news.slice(3)).toEqual(["+b"]);
});

it("[BUS-19] nobody is judged while the own beat does not come back, nor before all could be heard again", () => {
  const { news, run } = setup();
  run(5_000, ["b"]);
  run(2_250, [], false);
  expect(news).toEqual(["+b", "down"]);
  run(60_000, [], false);
  run(2_000, []);
  expect(news).toEqual(["+b", "down", "up"]);
  run(5_000, ["b"]);
  expect(news).toEqual(["+b", "down", "up"]);
});

it("[BUS-31] a beat that does not come back, when the next one does, is told: other messages may be missing, too", () => {
  const { news, run } = setup();
  run(3_000, ["b"]);
  run(1_000, ["b"], false);
  expect(news).toEqual(["+b"]);
  run(1_000, ["b"]);
  expect(news).toEqual(["+b", "skipped"]);
});

it("[BUS-31] beats that come back late, one after another, have lost nothing", () => {
  const { news, beats, run } = setup();
  run(3_000, ["b"]);
  const late = [beats.next(), beats.next()];
  run(1_900, ["b"], false);
  expect(news).toEqual(["+b"]);
  for (const number of late) beats.echoed(number);
  expect(news).toEqual(["+b"]);
});

it("[BUS-19] a relay that stood still reads what the bus has brought meanwhile before it judges", () => {
  const { news, beats, run, stall } = setup();
  run(3_000, ["b"]);
  stall(2_750);
  expect([beats.stoodStill, news]).toEqual([true, ["+b"]]);
  beats.heard("b");
  beats.echoed(beats.next());
  run(750, []);
  expect([beats.stoodStill, news]).toEqual([false, ["+b"]]);
  stall(2_750);
  stall(2_750);
  expect([beats.stoodStill, news]).toEqual([false, ["+b", "down"]]);
});

it("[BUS-19] a relay that stood still for so long that others have taken it for lost asks for all that they said since", () => {
  const { news, run, stall } = setup();
  run(3_000, ["b"]);
  stall(2_751);
  expect(news).toEqual(["+b", "skipped"]);
  run(3_000, ["b"], false);
  stall(2_751);
  expect(news).toEqual(["+b", "skipped", "down"]);
});
