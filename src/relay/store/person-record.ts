/** A record of a person as stores keep it: JSON, which may be damaged. Pure. */
import { isRecord } from "../../presence/index.ts";
import type { PersonRecord } from "../ports/stores/people-store.ts";

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

function isPersonRecord(value: unknown): value is PersonRecord {
  if (!isRecord(value) || typeof value["lobby"] !== "string" || !isRecord(value["user"])) return false;
  const { choice, lastSeen, user } = value;
  const isChoice = choice === null || (isRecord(choice) && typeof choice["at"] === "number");
  return typeof user["id"] === "string" && isChoice && (lastSeen === null || typeof lastSeen === "number");
}
