import type { User } from "copresence";
import { statusNames } from "./icons.tsx";
import { activityOf } from "./presence.ts";

/** What somebody in a document is doing, as far as it is known; else their status. */
export function doingOf(user: User<unknown>): string {
  const status = user.manual === "invisible" ? "invisible" : user.status;
  if (user.reconnecting) return "Reconnecting…";
  return (status === "online" && activityOf(user)) || statusNames[status];
}
