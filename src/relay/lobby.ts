/**
 * A lobby: a room whose document the relay writes. Everyone who is anywhere counts in it; what its own connections say
 * of themselves is taken in, never passed on.
 */
import { Aggregator, Shard } from "../aggregator/index.ts";
import type { PresenceEvent, User } from "../presence/index.ts";
import { type RelayState, Ticker, controlFrame, fieldsOf, StateBytes } from "../wire/index.ts";
import { ReadOnlyDocument } from "./documents/index.ts";
import { immediate } from "./immediate.ts";
import { Packet } from "./packet.ts";
import { Room, type RoomHost, reportOf } from "./room.ts";
import type { Row } from "./table.ts";

export class Lobby {
  readonly name: string;
  readonly room: Room;
  readonly #aggregator: Aggregator;
  readonly #shard: Shard;
  readonly #host: RoomHost;
  readonly #ticker: Ticker;
  /** Who chose to be invisible, as of the last word of any of their sessions. */
  readonly #invisible = new Set<string>();
  /** A user's choice can change the visibility of all their rows, in whatever room. */
  readonly #onVisibility: (row: Row) => void;

  constructor(
    name: string,
    relay: RelayState["copresence"]["relay"],
    host: RoomHost,
    onVisibility: (row: Row) => void,
  ) {
    this.name = name;
    this.#host = host;
    this.#onVisibility = onVisibility;
    this.#aggregator = new Aggregator(name);
    this.#shard = new Shard(relay.shard, host.options);
    this.room = new Room(name, host, (room) => {
      const broadcast = (packet: Packet): void => room.sendUpdate(packet, null);
      return new ReadOnlyDocument(this.#shard.doc, broadcast, () => this.#shard.open(this.users.values(), Date.now()));
    });
    this.#ticker = new Ticker(
      () => host.options.lobbyTick,
      () => this.#flush(),
      immediate,
    );
    const state: RelayState = { copresence: { relay } };
    this.room.table.setOwn(this.#shard.doc.clientID, new StateBytes(fieldsOf(state)));
  }

  get users(): ReadonlyMap<string, User> {
    return this.#aggregator.users;
  }

  /** Nobody is connected, nobody counts in it, nobody has yet to be said to have left, and nobody is remembered. */
  get empty(): boolean {
    const { empty, users } = this.#aggregator;
    return this.room.peers.size === 0 && empty && users.size === 0 && this.#shard.recent === 0;
  }

  /** Whether there would be more than so many users with this one. */
  wouldExceed(max: number, userId: string): boolean {
    return this.#aggregator.size >= max && this.#aggregator.sourcesOf(userId).length === 0;
  }

  isInvisible(userId: string): boolean {
    return this.#invisible.has(userId);
  }

  set(row: Row, now: number): void {
    const { user } = row.claim;
    const before = this.#aggregator.choiceOf(user.id);
    const formerly = this.#aggregator.userOf(row);
    if (this.#aggregator.set(row, reportOf(row), now)) this.#ticker.schedule();
    if (formerly !== undefined && formerly !== user.id) this.#checkVisibility(formerly);
    this.#checkVisibility(user.id);
    const choice = this.#aggregator.choiceOf(user.id);
    if (choice === null) return;
    const changed = before === null || choice.at > before.at;
    for (const each of changed ? this.#aggregator.sourcesOf(user.id) : [row]) this.#tellChoice(each as Row);
  }

  delete(row: Row, now: number): void {
    this.#aggregator.delete(row, row.lastSeen, now);
    this.#checkVisibility(row.claim.user.id);
    this.#ticker.schedule();
  }

  sweep(now: number): void {
    this.#shard.write([], now);
  }

  close(): void {
    this.#ticker.stop();
    this.room.close();
    this.#shard.destroy();
  }

  /** A session that has not heard of its user's newest choice is told, through its connection to the lobby. */
  #tellChoice(row: Row): void {
    const { user, session } = row.claim;
    const choice = this.#aggregator.choiceOf(user.id);
    if (choice === null || row.room !== this.name || row.owner?.trusts !== true) return;
    if (choice.at > (session.manual?.at ?? -1))
      row.owner.send(new Packet(controlFrame({ kind: "manual", manual: choice })));
  }

  #checkVisibility(userId: string): void {
    const invisible = this.#aggregator.choiceOf(userId)?.status === "invisible";
    if (invisible === this.#invisible.has(userId)) return;
    if (invisible) this.#invisible.add(userId);
    else this.#invisible.delete(userId);
    for (const row of this.#aggregator.sourcesOf(userId)) this.#onVisibility(row as Row);
  }

  #flush(): void {
    const now = Date.now();
    const events: PresenceEvent[] = this.#aggregator.flush(now);
    if (events.length === 0) return;
    this.#shard.write(events, now);
    this.#host.events(events);
  }
}
