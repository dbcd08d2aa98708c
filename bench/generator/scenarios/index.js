// @ts-check
import { connections } from "./connections.js";
import { documents } from "./documents.js";
import { healing } from "./healing.js";
import { idle } from "./idle.js";
import { joinStorm } from "./join-storm.js";
import { lobby } from "./lobby.js";
import { polling } from "./polling.js";
import { restart } from "./restart.js";
import { room } from "./room.js";
import { slowReader } from "./slow-reader.js";
import { soak } from "./soak.js";
import { typing } from "../typing.js";

/** What the generator can be told to do, by name. Each takes its options and returns what it measured, as JSON. */
export const scenarios = {
  connections,
  documents,
  healing,
  idle,
  joinStorm,
  lobby,
  polling,
  restart,
  room,
  slowReader,
  soak,
  typing,
};
