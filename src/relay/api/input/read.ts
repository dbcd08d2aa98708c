/** How what callers say is read. What is wrong with it is answered 400, with the place, and never with what was given. [API-16] */
import * as v from "valibot";
import { MAX_ID_LENGTH, isRecord } from "../../../presence/index.ts";
import { MAX_ROOM_LENGTH, isLobby, isReserved, isRoomName } from "../../../wire/index.ts";
import { ApiError } from "../answers/error.ts";
import type { Reads } from "./schemas.ts";

/** Levels of nesting in a body: a state may have 64, and lies some levels deep in it. */
const MAX_DEPTH = 80;
const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = Buffer.from('"\\{}[]');

/** What a text has in which a number may be larger than any number can be. */
const HUGE_NUMBER = /\d[eE]\+?\d\d|\d{300}/;

/** Names of rooms in which nothing can be wrong. */
const PLAIN_NAME = new RegExp(`^[\\w-]{1,${MAX_ROOM_LENGTH}}$`);

/** Reads a value. Throws `ApiError` that says what is wrong where, and never what was given. */
export function read<T>(schema: Reads<T>, value: unknown, where: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const isUnknown = issue.type === "strict_object" && issue.expected === "never";
  const what = isUnknown ? "there is no such field" : inWords(issue.message);
  throw new ApiError(400, "invalid", `${where}${path === null ? "" : ` ${path}`}: ${what}`);
}

/** What the library says, without what was given, which it may quote. */
function inWords(message: string): string {
  return message.startsWith("Invalid key") ? "it is missing" : message.replace(/ but received [^]*$/, "");
}

/** Reads the parameters of an address; one that is given twice is no list. */
export function readQuery<T>(schema: Reads<T>, url: URL): T {
  const given = new Map<string, string>();
  for (const [key, value] of url.searchParams) {
    if (given.has(key)) throw new ApiError(400, "invalid", "query: a parameter is given twice");
    given.set(key, value);
  }
  return read(schema, Object.fromEntries(given), "query");
}

/** Reads the body as JSON. [API-16] */
export async function readJson<T>(schema: Reads<T>, request: Request, maxBytes: number): Promise<T> {
  const type = request.headers.get("content-type");
  // what curl says where nobody said anything else is taken, too
  if (type !== null && !/^application\/(json|x-www-form-urlencoded)\b/i.test(type)) {
    throw new ApiError(415, "not_json", "the body must be JSON: content-type: application/json");
  }
  const source = new TextDecoder("utf-8", { fatal: true });
  const bytes = await readBytes(request, maxBytes);
  if (isTooDeep(bytes)) throw new ApiError(400, "malformed", `the body is nested deeper than ${MAX_DEPTH} levels`);
  let value: unknown;
  let mayBeHuge = false;
  try {
    const text = bytes.length === 0 ? "{}" : source.decode(bytes);
    value = JSON.parse(text);
    mayBeHuge = HUGE_NUMBER.test(text);
  } catch {
    throw new ApiError(400, "not_json", "the body is not JSON");
  }
  if (mayBeHuge && !isFiniteThroughout(value)) throw new ApiError(400, "invalid", "body: a number is too large");
  if (!isRecord(value)) throw new ApiError(400, "invalid", "body: not an object");
  return read(schema, value, "body");
}

/** Whether all numbers are finite: one like 1e999 is JSON, and is Infinity once it is read, which no JSON can hold. */
function isFiniteThroughout(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "object" || value === null || Object.values(value).every(isFiniteThroughout);
}

/** Whether JSON has more levels than any state needs: what writes it again would use up its stack. [API-16] */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let isInText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isInText && byte === BACKSLASH) i++;
    else if (byte === QUOTE) isInText = !isInText;
    else if (isInText) continue;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
  return false;
}

/** Reads the body, up to so many bytes. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  try {
    // the server sees to it that the body is as long as was announced; a stream takes longer than all the rest
    if (announced > 0) return checkLength(new Uint8Array(await request.arrayBuffer()), maxBytes);
    return await readStream(request, maxBytes);
  } catch (error) {
    // nobody is there any more to hear it, and the relay did nothing wrong
    throw error instanceof ApiError ? error : new ApiError(400, "malformed", "the body broke off");
  }
}

async function readStream({ body }: Request, maxBytes: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function checkLength(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

function tooLarge(maxBytes: number): ApiError {
  return new ApiError(413, "too_large", `the body is longer than ${maxBytes} bytes`);
}

/** A part of the path, decoded. Throws `ApiError`. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ApiError(400, "invalid", "the address is not percent-encoded UTF-8");
  }
}

/** The name of a room in the path. Throws `ApiError`. */
export function roomIn(part: string): string {
  return checkedRoom(placeIn(part));
}

/** The name of a room. Throws `ApiError` for that of a lobby. */
export function checkedRoom(place: string): string {
  if (!isLobby(place)) return place;
  throw new ApiError(400, "reserved", "a lobby is no room: names that start with @ are reserved");
}

/** The name of a room or lobby in the path. Throws `ApiError`. */
export function placeIn(part: string): string {
  return placeOf(decoded(part));
}

/** The name of a room or lobby. Throws `ApiError`. */
export function placeOf(name: string): string {
  // what most are like
  if (PLAIN_NAME.test(name)) return name;
  if (!isRoomName(name)) throw new ApiError(400, "invalid", "no name of a room");
  if (!isReserved(name)) return name;
  throw new ApiError(400, "reserved", "of the names that start with @ there are lobbies alone: @lobby, @lobby/acme");
}

/** The id of a user or session in the path. */
export function idIn(part: string): string {
  const id = decoded(part);
  if (id !== "" && id.length <= MAX_ID_LENGTH) return id;
  throw new ApiError(400, "invalid", `an id has 1 to ${MAX_ID_LENGTH} characters`);
}
