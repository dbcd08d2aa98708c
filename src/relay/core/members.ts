/** The members of a room. Each flush asks how many there are of some kinds, so these are counted as members come and go. */
import type { Member } from "../ports/member.ts";

export class Members extends Set<Member> {
  #relays = 0;
  #echoing = 0;

  /** The member that an author of this room's register or document is; null: it was one, and is gone. */
  of(author: unknown): Member | null {
    return this.has(author as Member) ? (author as Member) : null;
  }

  /** How many members are not other relays: connections of this relay, and members that a server has set. */
  get own(): number {
    return this.size - this.#relays;
  }

  /** How many members send back what they are told, as y-websocket clients do. */
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

  /** A member has sent back what it was told. When it does not do so any more, it does not read. [FLOW-8] */
  answered(member: Member): void {
    if (member.answers) return;
    member.answers = true;
    if (isEchoing(member) && this.has(member)) this.#echoing++;
  }
}

const isEchoing = ({ kind, answers }: Member): boolean => kind === "stock" && answers;
