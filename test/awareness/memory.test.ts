/** What all states take together is bounded, and comes back. */
import { describe, expect, it } from "vitest";
import { type Author, Register, StateMemory } from "../../src/awareness/index.ts";
import { encode } from "../../src/wire/index.ts";

const authorFrom = (address: string): Author => ({
  kind: "native",
  echoing: "after its answer",
  address,
  silent: false,
  access: { user: null, lobby: "@lobby" },
});

function setup(max: number) {
  const memory = new StateMemory(max);
  const open = (name: string) => {
    const limits = { maxState: 64 * 1024, maxStates: 1_000, maxMeta: 1_000 };
    const register = new Register(name, limits, () => {}, memory);
    let clock = 0;
    const say = (author: Author, id: number, bytes: number | null, now = 0): void => {
      const state = bytes === null ? null : encode(JSON.stringify({ text: "x".repeat(bytes) }));
      const changes = register.apply(author, [{ id, clock: ++clock, state }], { now, date: now });
      for (const change of changes) if (change.type === "entered") change.entry.visible = true;
    };
    return { register, say };
  };
  return { memory, open };
}

describe("the states of all rooms", () => {
  it("[WIRE-9] [WIRE-12] take no more than they may, and those of one address half of that", () => {
    const { open } = setup(100_000);
    const [doc, other] = [open("doc"), open("other")];
    const [mallory, bob] = [authorFrom("10.0.0.1"), authorFrom("10.0.0.2")];
    for (let id = 1; id <= 4; id++) (id % 2 === 0 ? doc : other).say(mallory, id, 10_000);
    expect(() => doc.say(mallory, 5, 10_000)).toThrow("no room for more states");
    expect(() => doc.say(mallory, 4, 20_000)).toThrow("no room for more states");
    for (let id = 11; id <= 14; id++) doc.say(bob, id, 10_000);
    expect(() => doc.say(bob, 15, 20_000)).toThrow("no room for more states");
    expect(doc.register.size + other.register.size).toBe(8);
  });

  it("[WIRE-13] let those go on who are here already", () => {
    const { open } = setup(6_000);
    const { say, register } = open("doc");
    const alice = authorFrom("10.0.0.1");
    say(alice, 1, 100);
    say(alice, 2, 1_500);
    expect(() => say(alice, 3, 1_500)).toThrow("no room for more states");
    say(alice, 1, 1_000);
    expect(register.get(1)?.authoredState.size).toBe(1_006);
  });

  it("[WIRE-9] come back when their authors leave, are forgotten, or their room is closed", () => {
    const { open } = setup(20_000);
    const { say, register } = open("doc");
    const mallory = authorFrom("10.0.0.1");
    const fill = (): void => {
      for (let id = 1; id <= 5; id++) {
        say(mallory, id, 100);
        say(mallory, id, null);
      }
      expect(() => say(mallory, 6, 6_000)).toThrow("no room for more states");
    };
    fill();
    register.sweep(200_000);
    say(mallory, 6, 6_000, 200_000);
    say(mallory, 6, null, 200_000);
    register.close();
    open("another").say(mallory, 6, 9_000);
  });
});
