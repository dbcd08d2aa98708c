/** What every outbox has to do, wherever it keeps webhooks. */
import { expect, it } from "vitest";
import type { Outbox, OutboxChange } from "../../../../src/relay/ports/stores/outbox.ts";

const queued = (receiver: string, number: number, text = `${number}`): OutboxChange => ({
  type: "queue",
  receiver,
  number,
  text,
});
const removed = (receiver: string, number: number): OutboxChange => ({ type: "remove", receiver, number });
const noted = (name: string, text: string | null): OutboxChange => ({ type: "note", name, text });

/** @param open makes an empty outbox */
export function outboxContract(open: () => Promise<Outbox>): void {
  it("gives the messages of a receiver in order, a part at a time", async () => {
    const outbox = await open();
    await outbox.write([9, 10, 11, 100].map((number) => queued("a", number)));
    await outbox.write([queued("b", 1)]);
    expect(await outbox.messages("a", 0, 2)).toEqual([
      { number: 9, text: "9" },
      { number: 10, text: "10" },
    ]);
    expect((await outbox.messages("a", 10, 5)).map(({ number }) => number)).toEqual([11, 100]);
    expect(await outbox.messages("a", 100, 5)).toEqual([]);
    expect(await outbox.messages("nobody", 0, 5)).toEqual([]);
  });

  it("gives no message that was removed, be it twice", async () => {
    const outbox = await open();
    await outbox.write([1, 2, 3].map((number) => queued("a", number)));
    await outbox.write([removed("a", 2)]);
    await outbox.write([removed("a", 2), removed("nobody", 7)]);
    expect((await outbox.messages("a", 0, 5)).map(({ number }) => number)).toEqual([1, 3]);
  });

  it("names the receivers for which something waits", async () => {
    const outbox = await open();
    expect(await outbox.receivers()).toEqual([]);
    await outbox.write([queued("b", 1), queued("a", 1), queued("ab", 1), queued("a", 2)]);
    expect([...(await outbox.receivers())].toSorted()).toEqual(["a", "ab", "b"]);
    await outbox.write([removed("a", 1), removed("a", 2)]);
    expect([...(await outbox.receivers())].toSorted()).toEqual(["ab", "b"]);
  });

  it("keeps notes of any name and text, replaces and removes them", async () => {
    const outbox = await open();
    const odd = 'visit/["@lobby","\\ud800/é"]';
    await outbox.write([noted("one", ""), noted(odd, "ü"), noted("two", "2")]);
    await outbox.write([noted("one", "1"), noted("two", null), noted("never", null)]);
    expect(await outbox.notes()).toEqual(
      new Map([
        ["one", "1"],
        [odd, "ü"],
      ]),
    );
  });
}
