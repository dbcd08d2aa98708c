import type { User } from "copresence";
import type { CSSProperties, ReactNode } from "react";
import { nameOf } from "./presence.ts";

export type Person = Pick<User<unknown>, "name" | "color" | "guest">;

export function initialsOf(name: string): string {
  const words = name.split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => Array.from(word ?? "")[0] ?? "");
  return letters.join("").toUpperCase();
}

/** For `style`: the person's colour, as `--who`. */
export function who(person: Pick<Person, "color">): CSSProperties {
  return { "--who": person.color ?? "var(--ink-3)" } as CSSProperties;
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
