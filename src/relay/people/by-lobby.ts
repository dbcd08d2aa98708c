/** Stored people, by the lobby that they were in. */
import type { StoredPerson } from "../ports/stores/people-store.ts";

export function byLobby(people: readonly StoredPerson[]): ReadonlyMap<string, readonly StoredPerson[]> {
  const found = new Map<string, StoredPerson[]>();
  for (const person of people) {
    const known = found.get(person.lobby);
    if (known === undefined) found.set(person.lobby, [person]);
    else known.push(person);
  }
  return found;
}
