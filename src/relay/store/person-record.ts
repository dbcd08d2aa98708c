/** A record of a person as stores keep it: JSON, which may be damaged. Pure. */
import type { PersonRecord } from "../ports/stores/people-store.ts";
import { isPersonRecord } from "../ports/stores/person.ts";

/** Null: the text is no record. [PEOPLE-9] */
export function readPersonRecord(text: string): PersonRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isPersonRecord(value) ? value : null;
}
