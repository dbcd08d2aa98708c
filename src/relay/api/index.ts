/** The HTTP API of a hub. */
import type { ReadToken } from "../access/tokens/jwt.ts";
import type { ErrorListener } from "../util/report.ts";
import type { LinkedHub } from "../wiring/linked-hub.ts";
import { Callers } from "./access/callers.ts";
import { answerJson } from "./answers/answer.ts";
import { type App, createApp } from "./app.ts";
import { readQuery } from "./input/read.ts";
import { nothing } from "./input/schemas.ts";
import { openApiOf } from "./openapi.ts";
import type { Operation } from "./operation.ts";
import { actionOperations } from "./routes/actions.ts";
import { Members } from "./members/members.ts";
import { drainOperations } from "./routes/drain.ts";
import { documentOperations } from "./routes/documents.ts";
import { Events } from "./events/events.ts";
import { eventOperations } from "./routes/events.ts";
import { inspectOperations } from "./routes/inspect.ts";
import { memberOperations } from "./routes/members.ts";
import { messageOperations } from "./routes/messages.ts";
import { roomOperations } from "./routes/rooms.ts";
import { userOperations } from "./routes/users.ts";
import { World } from "./world.ts";

export interface ApiSetup {
  readonly hub: LinkedHub;
  /** Keys that grant everything. */
  readonly keys: readonly string[];
  /** Reads tokens with a claim `api`; null: there are no keys for tokens. */
  readonly readToken: ReadToken | null;
  /** Requests a second of one caller; 0: any number. */
  readonly rate: number;
  readonly onError: ErrorListener;
}

export interface Api {
  readonly answer: App;
  /** Stops all that goes on by itself. */
  close(): void;
}

/** Makes the API of a hub. [API-18] */
export function createApi({ hub, keys, readToken, rate, onError }: ApiSetup): Api {
  const world = new World(hub);
  const members = new Members(hub);
  const events = new Events(hub, world);
  const operations = [
    ...userOperations(world),
    ...actionOperations(hub),
    ...drainOperations(hub),
    ...roomOperations(world),
    ...eventOperations(events),
    ...documentOperations(hub, hub.settings.maxMessage),
    ...inspectOperations(hub),
    ...messageOperations(hub.broadcasts),
    ...memberOperations(members, hub.settings.maxState),
  ];
  const all = [...operations, openApi(operations)];
  const app = createApp({
    operations: all,
    callers: new Callers(keys, readToken),
    rate,
    clock: hub.core.clock,
    onError,
  });
  return {
    answer: (request, info) => {
      world.asked();
      return app(request, info);
    },
    close: () => {
      events.close();
      members.close();
      world.close();
    },
  };
}

/** The description of the API is no secret. [API-17] */
function openApi(operations: readonly Operation[]): Operation {
  let text: string | undefined;
  const self: Operation = {
    method: "GET",
    path: "/openapi.json",
    level: null,
    handle: ({ url }) => {
      readQuery(nothing, url);
      text ??= JSON.stringify(openApiOf([...operations, self]));
      return answerJson(text);
    },
    describe: {
      id: "openApi",
      summary: "This document",
      answers: { 200: { description: "OpenAPI 3.1", schema: { type: "object" } } },
    },
  };
  return self;
}
