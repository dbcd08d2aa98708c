/** What a server of the application does to all connections of a user, on this relay and on all others. */
import type { Cluster } from "../cluster/cluster.ts";
import { kick } from "../cluster/kicks.ts";
import type { Hub } from "../core/hub.ts";
import type { Links } from "../transport/links.ts";
import { checkedLobbyRoom } from "../../wire/index.ts";
import { type DisconnectOptions, type Disconnected, checkUserId, kickOf } from "./disconnect.ts";

export class UserActions {
  readonly #hub: Hub;
  readonly #links: Links;
  readonly #cluster: Cluster | null;

  /** @param cluster null: there is no bus */
  constructor(hub: Hub, links: Links, cluster: Cluster | null) {
    this.#hub = hub;
    this.#links = links;
    this.#cluster = cluster;
  }

  /** Closes all connections of a user, who leaves at once, without a grace. Those of this relay are counted. [API-23] [API-24] */
  disconnect(userId: string, options: DisconnectOptions = {}): Disconnected {
    return this.#disconnect(userId, options).here;
  }

  /** The same, with those of all relays counted. [BUS-42] */
  async disconnectEverywhere(userId: string, options: DisconnectOptions = {}): Promise<Disconnected> {
    const { here, elsewhere } = this.#disconnect(userId, options);
    return { ...here, connections: here.connections + (await elsewhere) };
  }

  /** Asks all connections of a user for a new token. Returns how many were asked on this relay. [API-26] */
  refresh(userId: string, lobby?: string): number {
    return this.#refresh(userId, lobby).here;
  }

  /** The same, with those of all relays counted. [BUS-42] */
  async refreshEverywhere(userId: string, lobby?: string): Promise<number> {
    const { here, elsewhere } = this.#refresh(userId, lobby);
    return here + (await elsewhere);
  }

  #disconnect(userId: string, options: DisconnectOptions) {
    const said = kickOf(userId, options);
    const elsewhere = this.#cluster?.kick(said) ?? Promise.resolve(0);
    const connections = kick(this.#hub, said);
    const until = said.forMs > 0 ? Math.round(this.#hub.clock.wall() + said.forMs) : null;
    return { here: { connections, until }, elsewhere };
  }

  #refresh(userId: string, lobby: string | undefined) {
    checkUserId(userId);
    const place = lobby === undefined ? null : checkedLobbyRoom(lobby);
    const elsewhere = this.#cluster?.kick({ userId, lobby: place }) ?? Promise.resolve(0);
    return { here: this.#links.refresh(userId, place), elsewhere };
  }
}
