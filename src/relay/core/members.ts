/** The members of a room, with how many there are of some kinds: counted as they come and go, since each flush asks. */
import type { Member } from "../ports/member.ts";

export class Members extends Set<Member> {
  #relays = 0;
  #echoing = 0;

  /** How many are connections of this relay, or set by a server: all but other relays. */
  get own(): number {
    return this.size - this.#relays;
  }

  /** How many say back what they are told, as y-websocket clients do. */
  get echoing(): number {
    return this.#echoing;
  }

  override add(member: Member): this {
    if (this.has(member)) return this;
    if (member.kind === "relay") this.#relays++;
    if (isEchoing(member)) this.#echoing++;
    return super.add(member);
  }

  override delete(member: Member): boolean {
    if (!super.delete(member)) return false;
    if (member.kind === "relay") this.#relays--;
    if (isEchoing(member)) this.#echoing--;
    return true;
  }

  override clear(): void {
    super.clear();
    this.#relays = 0;
    this.#echoing = 0;
  }

  /** A member has said back what it was told: from now on it is missed when it does not. [FLOW-8] */
  answered(member: Member): void {
    if (member.answers) return;
    member.answers = true;
    if (isEchoing(member) && this.has(member)) this.#echoing++;
  }
}

const isEchoing = ({ kind, answers }: Member): boolean => kind === "stock" && answers;
