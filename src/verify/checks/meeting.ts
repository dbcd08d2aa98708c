/** People in a room who see each other, come late, and move. */
import { type Check, broken, inWords, judged, kept } from "../check.ts";

/** How long news may take that ought to be there at once, ms: slower than any network, faster than any renewal. */
const AT_ONCE_MS = 1_000;
/** A cursor that is later than this on average lags, ms: a slow network is faster. */
const LATE_MS = 400;
const CROWD = 10;
const MOVES = 20;
/** People who do not see each other by then never will, ms. */
const MEET_MS = 5_000;

export const meeting: readonly Check[] = [
  {
    rule: "ROOM-1",
    title: "clients in a room see each other, and write one document",
    abuse: null,
    seconds: 10,
    async run(scene) {
      const alice = await scene.enter("Alice");
      const bob = await scene.enter("Bob");
      const seenMs = await scene.until(() => alice.sees(bob.id) && bob.sees(alice.id), MEET_MS);
      if (seenMs === null) return broken("people in one room do not see each other");
      for (let i = 0; i < 20; i++) {
        alice.write(`a${i} `);
        bob.write(`b${i} `);
      }
      const isOne = (): boolean => alice.text === bob.text && alice.text.includes("b19") && alice.text.includes("a19");
      const sameMs = await scene.until(isOne, MEET_MS);
      if (sameMs === null) return broken("what two people write at the same time stays two texts");
      return kept({ "they see each other after, ms": seenMs, "their texts are one after, ms": sameMs });
    },
  },
  {
    rule: "ROOM-4",
    title: "a newcomer is sent everybody, and the whole document, at once",
    abuse: null,
    seconds: 10,
    async run(scene) {
      const { alice } = await scene.meet();
      alice.write("the whole document");
      for (let i = 2; i < CROWD; i++) await scene.enter(`Guest${i}`);
      await scene.until(() => alice.others.size === CROWD - 1, AT_ONCE_MS);
      const carol = await scene.enter("Carol");
      const seesMs = await scene.until(() => carol.others.size >= CROWD, 3_000);
      const readsMs = await scene.until(() => carol.text === alice.text, 3_000);
      const noticed = [];
      if (seesMs === null) noticed.push(`a newcomer sees ${carol.others.size} of ${CROWD} people`);
      if (readsMs === null) noticed.push("a newcomer does not get the document");
      return judged(noticed, { "all are seen after, ms": seesMs ?? Infinity });
    },
  },
  {
    rule: "ROOM-5",
    title: "a change in a quiet room goes out at once",
    abuse: null,
    seconds: 20,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const times: number[] = [];
      for (let i = 0; i < MOVES; i++) {
        alice.set("cursor", i);
        const ms = await scene.until(() => bob.sees(alice.id, "cursor", i), MEET_MS);
        if (ms === null) return broken(`a cursor that moves is not seen to move within ${inWords(MEET_MS)}`);
        times.push(ms);
        await scene.pause(50);
      }
      const sorted = times.toSorted((a, b) => a - b);
      const [median = 0, most = 0] = [sorted[MOVES / 2], sorted.at(-1)];
      const figures = { "median, ms": median, "longest, ms": most };
      return median < LATE_MS ? kept(figures) : broken(`cursors lag behind by ${inWords(median)}`, figures);
    },
  },
  {
    rule: "OWN-2",
    title: "what clients send back of what they heard goes no further",
    abuse: null,
    seconds: 15,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      for (let i = 2; i < CROWD; i++) await scene.enter(`Guest${i}`);
      await scene.until(() => bob.others.size === CROWD - 1, AT_ONCE_MS);
      await scene.pause(500);
      const before = bob.awarenessMessages;
      for (let i = 0; i < MOVES; i++) {
        alice.set("cursor", i);
        await scene.pause(100);
      }
      await scene.pause(500);
      const heard = bob.awarenessMessages - before;
      const figures = { "messages for 20 moves": heard };
      if (heard <= 2 * MOVES) return kept(figures);
      return broken(`each move of a cursor reaches everybody ${Math.round(heard / MOVES)} times`, figures);
    },
  },
  {
    rule: "USER-1",
    title: "a person with two tabs who closes one is still there",
    abuse: null,
    seconds: 10,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const other = await scene.enter("Alice");
      await scene.until(() => bob.sees(other.id), AT_ONCE_MS);
      other.close(1001);
      const goneMs = await scene.until(() => !bob.sees(other.id), 5_000);
      await scene.pause(500);
      const noticed = [];
      if (goneMs === null) noticed.push("a tab that was closed is still shown");
      if (!bob.sees(alice.id)) noticed.push("who closes one of two tabs is gone from both");
      return judged(noticed);
    },
  },
];
