// @ts-check
import { api } from "./api.js";
import { attacksCase } from "./attacks.js";
import { cluster } from "./cluster/index.js";
import { connections } from "./connections.js";
import { documents } from "./documents.js";
import { echo } from "./echo.js";
import { extension } from "./extension.js";
import { floor } from "./floor.js";
import { idle } from "./idle.js";
import { joinStorm } from "./join-storm.js";
import { lobby } from "./lobby.js";
import { polling } from "./polling.js";
import { reconnect } from "./reconnect.js";
import { resources } from "./resources.js";
import { restart } from "./restart.js";
import { room } from "./room.js";
import { rooms } from "./rooms.js";
import { signed } from "./signed.js";
import { slowReader } from "./slow-reader.js";
import { soak } from "./soak.js";
import { typing } from "./typing.js";

/** All cases, in the order in which they run. @type {import("./case.js").Case<unknown>[]} */
export const cases = [
  room,
  signed,
  floor,
  echo,
  rooms,
  typing,
  documents,
  idle,
  connections,
  joinStorm,
  slowReader,
  lobby,
  polling,
  api,
  reconnect,
  restart,
  soak,
  attacksCase,
  resources,
  extension,
  cluster,
];
