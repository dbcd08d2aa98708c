/** Documents of rooms, as Yjs updates. */
import * as Y from "yjs";
import { Close, EMPTY_STATE_VECTOR, EMPTY_UPDATE, FrameError, LOBBY, decodeFrame } from "../../../wire/index.ts";
import type { Hub } from "../../core/hub.ts";
import { wholeResponse } from "../../util/whole-response.ts";
import type { LinkedHub } from "../../wiring/linked-hub.ts";
import type { RoomDocument } from "../../documents/index.ts";
import { ServerMember } from "../members/server-member.ts";
import { seesDocument } from "../access/grant.ts";
import { answerNothing } from "../answers/answer.ts";
import { ApiError } from "../answers/error.ts";
import { readBytes, readQuery, roomIn } from "../input/read.ts";
import { inLobby } from "../input/schemas.ts";
import type { Call, Operation } from "../operation.ts";
import { lobbyInRoomFor, lobbyParameter } from "./shared.ts";

const PATH = "/rooms/:name/document";
const BYTES = "application/octet-stream";
const UPDATE = { type: "string", contentMediaType: BYTES, description: "a Yjs update (version 1)" };
/** How long a document may take to be loaded, ms. */
const LOADING_MS = 10_000;

/** @param maxMessage largest update that is taken, bytes */
export function documentOperations(hub: LinkedHub, maxMessage: number): readonly Operation[] {
  return [getDocument(hub), putDocument(hub, maxMessage), deleteDocument(hub)];
}

/** [API-20] */
function getDocument(hub: LinkedHub): Operation {
  return {
    method: "GET",
    path: PATH,
    level: "read",
    handle: (call) =>
      withDocument(hub, roomOf(call), (document) => {
        const update = document.hasContent ? updateOf(document) : EMPTY_UPDATE;
        if (update.length <= EMPTY_UPDATE.length) throw noDocument();
        const headers = { "content-type": BYTES, "cache-control": "no-store" };
        return wholeResponse({ status: 200, headers, body: new Uint8Array(update) });
      }),
    describe: {
      id: "getDocument",
      summary: "The document of a room, whole, as one Yjs update",
      query: lobbyParameter,
      answers: { 200: { description: "The document", schema: UPDATE, type: BYTES } },
      errors: [404, 503],
    },
  };
}

/** [API-21] */
function putDocument(hub: LinkedHub, maxMessage: number): Operation {
  return {
    method: "PUT",
    path: PATH,
    level: "write",
    handle: async (call) => {
      const room = roomOf(call);
      const update = await readBytes(call.request, maxMessage);
      if (update.length === 0) throw new ApiError(400, "malformed", "the body must be a Yjs update");
      return withDocument(hub, room, (document) => {
        write(hub.core, room, document, { update, caller: call.grant.caller });
        return answerNothing();
      });
    },
    describe: {
      id: "putDocument",
      summary: "Writes a Yjs update to the document of a room, as a client would; people in the room see it at once",
      description:
        "An update adds to what is there, and is taken whole or not at all. The same update again changes nothing.",
      query: lobbyParameter,
      body: { type: BYTES, schema: UPDATE },
      answers: { 204: { description: "It is taken" } },
      errors: [503],
    },
  };
}

/** [API-22] */
function deleteDocument(hub: LinkedHub): Operation {
  return {
    method: "DELETE",
    path: PATH,
    level: "admin",
    handle: async (call) => {
      const room = roomOf(call);
      const { elsewhere, core } = hub;
      if (core.rooms.get(room)?.empty === false || (await elsewhere?.isInUse(room)) === true) {
        throw new ApiError(
          409,
          "in_use",
          "somebody is in the room, or what was written a moment ago is not stored yet: disconnect them, or try again",
        );
      }
      const { documents } = core;
      if (!documents.canDelete) throw new ApiError(501, "cannot_delete", "the store cannot delete documents");
      elsewhere?.deleted(room);
      if (!(await documents.delete(room))) throw noDocument();
      return answerNothing();
    },
    describe: {
      id: "deleteDocument",
      summary: "Deletes the document of a room that nobody is in, from the store too",
      description: "A client that has it still, in a tab or on disk, brings it back when it comes to the room again.",
      query: lobbyParameter,
      answers: { 204: { description: "It is gone" } },
      errors: [404, 409, 501],
    },
  };
}

/** The room whose document is meant. Throws `ApiError` for a caller who may not have it. [API-10] */
function roomOf({ url, grant, parts: [part = ""] }: Call): string {
  const room = roomIn(part);
  lobbyInRoomFor(grant, readQuery(inLobby, url).lobby);
  if (seesDocument(grant, room)) return room;
  const why = "the key is not for this room; a key for one lobby has documents of the rooms that it names (rooms)";
  throw new ApiError(403, "not_granted", why);
}

/** Does something with the document of a room, once that is loaded, with what other relays have of it; be it that nobody is there. */
async function withDocument(
  hub: LinkedHub,
  name: string,
  run: (document: RoomDocument) => Response,
): Promise<Response> {
  const { room, release } = hub.core.hold(name);
  try {
    await Promise.all([ready(room.document), hub.elsewhere?.known(name)]);
    return run(room.document);
  } finally {
    release();
  }
}

function ready(document: RoomDocument): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ApiError(503, "not_loaded", "the document cannot be loaded for now", { retryAfterS: 5 }));
    }, LOADING_MS);
    document.whenReady(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Writes to a document as a member of its room does. Throws `FrameError`. */
function write(
  hub: Hub,
  room: string,
  document: RoomDocument,
  { update, caller }: { readonly update: Uint8Array; readonly caller: string },
): void {
  const { clock } = hub;
  let refused: FrameError | undefined;
  const access = { user: null, lobby: LOBBY, presence: false, write: true };
  const writer = new ServerMember(
    caller,
    access,
    () => clock.now(),
    (code, reason) => {
      refused = new FrameError(reason, code);
    },
  );
  hub.join(writer, room);
  try {
    hub.receive(writer, { type: "update", update }, clock.now());
    // what waits for others may still be refused
    document.settle();
    if (refused !== undefined) throw refused;
  } finally {
    hub.leave(writer, Close.normal, clock.now());
  }
}

/** All of it, as what answers a newcomer. */
function updateOf(document: RoomDocument): Uint8Array {
  const updates = document.sync(EMPTY_STATE_VECTOR).flatMap(({ message }) => {
    const frame = decodeFrame(message);
    return frame.type === "syncStep2" || frame.type === "update" ? [frame.update] : [];
  });
  const [only] = updates;
  return updates.length === 1 && only !== undefined ? only : Y.mergeUpdates(updates);
}

function noDocument(): ApiError {
  return new ApiError(404, "no_document", "the room has no document");
}
