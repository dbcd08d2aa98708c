import { expect, it } from "vitest";
import type { ClusterContext } from "../../../../src/relay/cluster/context.ts";
import type { Message, MessageKind } from "../../../../src/relay/cluster/message.ts";
import { Numbers } from "../../../../src/relay/cluster/topic/sequence.ts";
import { SharedTopic } from "../../../../src/relay/cluster/topic/shared-topic.ts";
import { readUint, reader } from "../../../../src/wire/index.ts";
import { until } from "../../../support.ts";

const NOTHING = new Uint8Array();

it("[BUS-10] [BUS-55] what is not said, since no other relay is there, is numbered", async () => {
  const said: string[] = [];
  const answers: number[] = [];
  const context = {
    hub: { clock: { now: () => 0, wall: () => 0 } },
    numbers: new Numbers(),
    subscribe: () => () => {},
    guarded: (act: () => void) => act(),
    publish: (_topic: string, kind: string, _room: string, seq: number) => said.push(`${kind} ${seq}`),
    tell: (_relay: string, kind: string, _room: string, body: Uint8Array) => {
      if (kind === "snapshot") answers.push(readUint(reader(body)));
    },
  } as unknown as ClusterContext;
  const host = {
    wholeKind: "snapshot",
    kinds: new Set<MessageKind>(["states"]),
    met: () => ({}),
    knownVector: () => NOTHING,
    writeWhole: () => {},
    takeWhole: () => {},
    take: () => {},
  } as const;
  const topic = new SharedTopic(context, "cp1:r:doc", "doc", host, () => {});
  for (let i = 0; i < 3; i++) topic.send("states", NOTHING);
  expect(said).toEqual([]);
  const ask: Message = { kind: "ask", relay: "r_b", room: "doc", seq: 0, body: NOTHING };
  topic.hear(ask);
  await until("it is answered", () => answers.length > 0);
  topic.send("states", NOTHING);
  expect([answers, said]).toEqual([[3], ["states 4"]]);
});
