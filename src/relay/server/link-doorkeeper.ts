/** Lets a link of the relay's own server in to rooms: each is asked for with the token that the link has at the time. */
import type { Authorized, AuthorizedLink, Authorizer, Decision } from "../access/authorizer.ts";
import type { Doorkeeper, RoomDecision } from "../wiring/room-channels.ts";

export class LinkDoorkeeper implements Doorkeeper {
  readonly #authorizer: Authorizer;
  readonly #link: AuthorizedLink;
  #token: string | null;

  constructor(authorizer: Authorizer, link: AuthorizedLink) {
    this.#authorizer = authorizer;
    this.#token = link.asked.token;
    // where nobody is asked, nobody needs what the request said: thousands of links keep it
    this.#link = authorizer.open ? { ...link, asked: { ...link.asked, token: null, headers: {} } } : link;
  }

  admit({ room, keepsHistory = false }: Parameters<Doorkeeper["admit"]>[0]): RoomDecision | Promise<RoomDecision> {
    const decision = this.#authorizer.authorizeRoom(this.#link, room, this.#token);
    return decision instanceof Promise
      ? decision.then((decided) => this.#admitted(decided, keepsHistory))
      : this.#admitted(decision, keepsHistory);
  }

  renewed(token: string): void {
    this.#token = token;
  }

  #admitted(decision: Decision, keepsHistory: boolean): RoomDecision {
    if (!decision.ok) return decision;
    const { room, access } = decision;
    const leave = (): void => this.#authorizer.leaveRoom(decision);
    return { room, access, keepsHistory, leave, ...(!this.#authorizer.open && { renew: this.#renewOf(decision) }) };
  }

  #renewOf(decision: Authorized): (token: string) => ReturnType<Authorizer["renew"]> {
    return (token) => this.#authorizer.renew(decision, token);
  }
}
