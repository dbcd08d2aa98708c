import type { Status, User } from "copresence";
import { statusNames } from "./icons.tsx";
import { activityOf } from "./presence.ts";

/** The status to show of somebody: to oneself, being invisible is not being offline. */
export function shownStatusOf({ manual, status }: Pick<User<unknown>, "manual" | "status">): Status | "invisible" {
  return manual === "invisible" ? "invisible" : status;
}

/** What somebody in a document is doing, as far as it is known; else their status. */
export function doingOf(user: User<unknown>): string {
  const status = shownStatusOf(user);
  if (user.reconnecting) return "Reconnecting…";
  return (status === "online" && activityOf(user)) || statusNames[status];
}
