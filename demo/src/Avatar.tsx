import type { User } from "copresence";
import type { CSSProperties, ReactNode } from "react";
import { plainColor } from "./color.ts";
import { initialsOf } from "./initials.ts";
import { nameOf } from "./presence.ts";

export type Person = Pick<User<unknown>, "name" | "color" | "guest">;

/** For `style`: the person's colour, as `--who`. */
export function who(person: Pick<Person, "color">): CSSProperties {
  return { "--who": plainColor(person.color) ?? "var(--ink-3)" } as CSSProperties;
}

/** The initials on the person's colour; decoration, the name stands beside it. */
export function Avatar({ person, children }: { person: Person; children?: ReactNode }) {
  return (
    <span className="avatar" style={who(person)} aria-hidden="true">
      <span className="avatar-face">{initialsOf(nameOf(person))}</span>
      {children}
    </span>
  );
}
