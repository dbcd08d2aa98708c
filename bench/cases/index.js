// @ts-check
import { room } from "./room.js";

/** All cases, in the order in which they run. */
export const cases = [room];
