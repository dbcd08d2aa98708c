// @ts-check
import { room } from "./room.js";

/** What the generator can be told to do, by name. Each takes its options and returns what it measured, as JSON. */
export const scenarios = { room };
