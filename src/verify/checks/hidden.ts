/** Pages that do little: hidden, frozen, or silent. */
import { type Check, broken, inWords, kept } from "../check.ts";

/** A y-websocket client reconnects when it hears nothing for this long, ms. */
const WATCHDOG_MS = 30_000;
const CROWD = 10;
const SILENCE_MS = 40_000;
/** With ten people who each renew every 15 s, forty messages a minute say nothing new. */
const MESSAGES_A_MINUTE = 12;

export const hidden: readonly Check[] = [
  {
    rule: "LIVE-9",
    title: "who hide their tab stay visible, though its timers run once a minute",
    abuse: null,
    seconds: 72,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const since = bob.vanished.length;
      alice.hide();
      const goneMs = await scene.until(() => bob.vanished.length > since, 68_000);
      if (goneMs === null) return kept();
      const backMs = await scene.until(() => bob.sees(alice.id), 68_000 - goneMs);
      const figures = { "gone after, ms": goneMs, ...(backMs !== null && { "back after, ms": goneMs + backMs }) };
      return broken(`who look at another tab vanish after ${inWords(goneMs)}, again and again`, figures);
    },
  },
  {
    rule: "LIVE-8",
    title: "who have a frozen page whose network answers are never gone",
    abuse: null,
    seconds: 40,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      alice.freeze();
      const ms = await scene.until(() => !bob.sees(alice.id), 36_000);
      if (ms === null) return kept();
      return broken(`who have a frozen tab are gone after ${inWords(ms)}`, { "gone after, ms": ms });
    },
  },
  {
    rule: "LIVE-5",
    title: "a client that hears of nobody is sent a sign of life before it reconnects (30 s)",
    abuse: null,
    seconds: 35,
    async run(scene) {
      const alice = await scene.enter("Alice", { state: null });
      await scene.pause(1_000);
      const since = performance.now();
      const ms = await scene.until(() => alice.heardAt > since || alice.ended !== null, WATCHDOG_MS);
      if (ms !== null && alice.ended === null) return kept({ "heard after, ms": ms });
      return broken("who watch an empty room reconnect every 30 s");
    },
  },
  {
    rule: "LIVE-9",
    title: "a room in which nothing happens is silent",
    abuse: null,
    seconds: 50,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      for (let i = 2; i < CROWD; i++) await scene.enter(`Guest${i}`);
      await scene.until(() => alice.others.size === CROWD - 1, 2_000);
      await scene.pause(1_000);
      const [messages, bytes] = [bob.messages, bob.bytes];
      await scene.pause(SILENCE_MS);
      const aMinute = 60_000 / SILENCE_MS;
      const figures = {
        "messages to each of 10 people, a minute": (bob.messages - messages) * aMinute,
        "bytes to each, a minute": (bob.bytes - bytes) * aMinute,
      };
      const [told] = Object.values(figures);
      if (told !== undefined && told <= MESSAGES_A_MINUTE) return kept(figures);
      return broken(`ten people who do nothing are told so ${Math.round(told ?? 0)} times a minute, each`, figures);
    },
  },
];
