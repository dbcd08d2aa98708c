import type { User } from "copresence";
import type { ReactNode } from "react";
import { Avatar } from "./Avatar.tsx";
import { shownStatusOf } from "./doing.ts";
import { StatusGlyph } from "./icons.tsx";
import { Name } from "./Name.tsx";
import { nameOf } from "./presence.ts";

/** Somebody in a list: avatar and status, the name, and below it what is said of them. */
export function PersonLine({ user, children }: { user: User<unknown>; children: ReactNode }) {
  return (
    <>
      <Avatar person={user}>
        <StatusGlyph status={shownStatusOf(user)} />
      </Avatar>
      <span className="row-name">
        <span className="row-title">
          <Name>{nameOf(user)}</Name>
          {user.self && <span className="you">you</span>}
        </span>
        <span className="row-more" dir="auto">
          {children}
        </span>
      </span>
    </>
  );
}
