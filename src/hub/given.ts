/**
 * What an application gives to a hub: it may come from code that was not type-checked. What cannot be used is refused where it is
 * given, with what to give. [HUB-7]
 */
import { isRecord } from "../presence/index.ts";
import type { Echoing } from "../awareness/index.ts";
import { type Refusal, readRefusal } from "../relay/access/identity.ts";
import { lackingFunction } from "../relay/parts.ts";
import type { HubAdmission, HubDoorkeeper, LinkAdmission } from "./types.ts";

const ECHOING: ReadonlySet<unknown> = new Set<Echoing>(["never", "after its answer", "always"]);
const MAX_CLOSE_CODE = 4999;

/** Throws a `TypeError` for what has not all of these functions. */
function checkFunctions(what: string, given: unknown, names: readonly string[]): void {
  const lacking = lackingFunction(given, names);
  if (lacking !== undefined) throw new TypeError(`${what} has no function ${lacking}`);
}

export function checkSocket(socket: unknown): void {
  checkFunctions("the socket", socket, ["send", "close"]);
}

export function checkDoorkeeper(doorkeeper: unknown): asserts doorkeeper is HubDoorkeeper {
  checkFunctions("the doorkeeper", doorkeeper, ["admit"]);
  checkAddress((doorkeeper as HubDoorkeeper).address);
}

/** @param from who connects */
export function checkConnecting(from: unknown): void {
  const { addressing, address, userId } = isRecord(from) ? from : {};
  checkFunctions("addressing", addressing, ["split", "prefixOf", "closed"]);
  checkAddress(address);
  if (userId !== undefined && typeof userId !== "string") throw new TypeError("userId must be a text");
}

export function checkAdmission(admission: unknown): asserts admission is HubAdmission {
  if (!isRecord(admission)) throw new TypeError("an admission must be an object: { room, identity }");
  const { renew, echoing, address } = admission;
  if (renew !== undefined && typeof renew !== "function") throw new TypeError("renew must be a function");
  if (echoing !== undefined && !ECHOING.has(echoing)) {
    throw new TypeError(`echoing must be "never", "after its answer" or "always"`);
  }
  checkAddress(address);
}

function checkAddress(address: unknown): void {
  if (address !== undefined && typeof address !== "string") throw new TypeError("address must be a text");
}

/** The parts of the options that no other check knows. */
export function checkHubParts({ sinks, closeCodes }: { readonly sinks: unknown; readonly closeCodes: unknown }): void {
  if (!Array.isArray(sinks)) throw new RangeError("sinks must be a list of objects that have a function deliver");
  for (const sink of sinks) checkFunctions("a sink", sink, ["deliver"]);
  const isMap = isRecord(closeCodes) && Object.entries(closeCodes).flat().every(isCode);
  if (!isMap) throw new RangeError("closeCodes must be a map from close codes to close codes, such as { 4205: 1006 }");
}

function isCode(value: unknown): boolean {
  return Number.isInteger(Number(value)) && Number(value) >= 1000 && Number(value) <= MAX_CLOSE_CODE;
}

/** What `admit` said. Throws a `TypeError` for what is neither an admission nor a refusal. [HUB-6] */
export function readAdmission(said: unknown): LinkAdmission | Refusal {
  if (!isRecord(said)) throw new TypeError("admit must return { identity }, or { code, reason } to refuse");
  if ("code" in said) return readRefusal(said);
  checkAdmission(said);
  return said;
}
