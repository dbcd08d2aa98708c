// @ts-check
import { idle } from "./idle.js";
import { room } from "./room.js";
import { soak } from "./soak.js";

/** What the generator can be told to do, by name. Each takes its options and returns what it measured, as JSON. */
export const scenarios = { idle, room, soak };
