/** Whether something is a record of a person: a store may hold what is damaged, or be of code that was not type-checked. Pure. [PEOPLE-9] */
import { isRecord } from "../../../presence/index.ts";
import { isLobby, isRoomName } from "../../../wire/index.ts";
import type { PersonRecord, StoredPerson } from "./people-store.ts";

export function isPersonRecord(value: unknown): value is PersonRecord {
  if (!isRecord(value) || typeof value["lobby"] !== "string" || !isRecord(value["user"])) return false;
  const { choice, lastSeen, user } = value;
  const isChoice = choice === null || (isRecord(choice) && typeof choice["at"] === "number");
  return typeof user["id"] === "string" && isChoice && (lastSeen === null || typeof lastSeen === "number");
}

/** Somebody of a lobby that there can be, who was last seen at some time. */
export function isStoredPerson(value: unknown): value is StoredPerson {
  return isPersonRecord(value) && isLobby(value.lobby) && isRoomName(value.lobby) && Number.isFinite(value.lastSeen);
}
