/** Lets a link of the relay's own server in to rooms: each is asked for with the token that the link has at the time. */
import type { Authorized, AuthorizedLink, Authorizer, Decision } from "../access/authorizer.ts";
import type { Doorkeeper, RoomDecision } from "../wiring/room-channels.ts";
import type { Refusals } from "./refusals.ts";

export class LinkDoorkeeper implements Doorkeeper {
  readonly #authorizer: Authorizer;
  readonly #link: AuthorizedLink;
  readonly #refusals: Refusals;
  #token: string | null;

  constructor(authorizer: Authorizer, link: AuthorizedLink, refusals: Refusals) {
    this.#authorizer = authorizer;
    this.#refusals = refusals;
    this.#token = link.asked.token;
    // where nobody is asked, nobody needs what the request said: thousands of links keep it
    this.#link = authorizer.open ? { ...link, asked: { ...link.asked, token: null, headers: {} } } : link;
  }

  admit({ room, keepsHistory = false }: Parameters<Doorkeeper["admit"]>[0]): RoomDecision | Promise<RoomDecision> {
    const decision = this.#authorizer.authorizeRoom(this.#link, room, this.#token);
    return decision instanceof Promise
      ? decision.then((decided) => this.#admitted(decided, room, keepsHistory))
      : this.#admitted(decision, room, keepsHistory);
  }

  renewed(token: string): void {
    this.#token = token;
  }

  #admitted(decision: Decision, asked: string, keepsHistory: boolean): RoomDecision {
    if (!decision.ok) {
      this.#refusals.tell(decision, this.#link.lease.address, { room: asked });
      return decision;
    }
    const { room, access } = decision;
    const leave = (): void => this.#authorizer.leaveRoom(decision);
    return { room, access, keepsHistory, leave, ...(!this.#authorizer.open && { renew: this.#renewOf(decision) }) };
  }

  #renewOf(decision: Authorized): (token: string) => ReturnType<Authorizer["renew"]> {
    return (token) => this.#authorizer.renew(decision, token);
  }
}
