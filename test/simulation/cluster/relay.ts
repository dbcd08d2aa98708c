/** One of the simulated relays: the real hub on an end of the simulated bus, with the store that all share. */
import * as encoding from "lib0/encoding";
import { KINDS } from "../../../src/relay/cluster/message.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { LinkedHub } from "../../../src/relay/wiring/linked-hub.ts";
import type { Actor, VirtualClock } from "../clock.ts";
import type { Server } from "../network.ts";
import { serverOf } from "../world.ts";
import type { Broker, BusEnd } from "./broker.ts";
import type { SharedStore } from "./store.ts";

export class SimRelay {
  readonly actor: Actor;
  readonly end: BusEnd;
  readonly hub: LinkedHub;
  readonly server: Server;
  readonly errors: unknown[] = [];
  /** Clients do not reach it. */
  isHidden = false;

  /**
   * @param isNewer it is of a later version: it says more than the others know, and they ignore that
   * @param busPartBytes what is longer it says in parts of this length, bytes
   */
  constructor(
    name: string,
    clock: VirtualClock,
    broker: Broker,
    store: SharedStore,
    wallAheadMs: number,
    isNewer: boolean,
    busPartBytes: number,
  ) {
    const actor: Actor = { name, mode: "running", waiting: [], wallAheadMs };
    this.actor = actor;
    this.end = broker.open(actor);
    if (isNewer) this.end.onPublish = (topic, bytes) => broker.publish(this.end, topic, laterKind(bytes));
    let made: { readonly hub: LinkedHub; readonly server: Server } | undefined;
    clock.as(actor, () => {
      const setup = { bus: this.end, store: store.of(actor), busPartBytes };
      const hub = new LinkedHub(resolveOptions({}), (error) => this.errors.push(error), setup);
      made = { hub, server: serverOf(hub, actor) };
    });
    if (made === undefined) throw new Error("unreachable");
    this.hub = made.hub;
    this.server = made.server;
  }
}

/** A message like that one, of a kind that this version does not know, and of a version that it does not know either. */
function laterKind(bytes: Uint8Array): Uint8Array {
  const isOtherVersion = bytes.length % 2 === 0;
  return encoding.encode((encoder) => {
    encoding.writeUint8(encoder, isOtherVersion ? 2 : 1);
    encoding.writeUint8(encoder, KINDS.length + 7);
    encoding.writeUint8Array(encoder, bytes.subarray(2));
  });
}
