// @ts-check
import { idle } from "./idle.js";
import { reconnect } from "./reconnect.js";
import { room } from "./room.js";
import { soak } from "./soak.js";

/** All cases, in the order in which they run. */
export const cases = [room, idle, reconnect, soak];
