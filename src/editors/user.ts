import { type UserInfo, asRecord, colorOf, readUser } from "../presence/index.ts";

/** A user as bindings want them, with a name and a colour. */
export interface CaretUser {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  readonly colorLight: string;
}

/**
 * The user as editor bindings want one: with a name and a colour, also where none was given.
 *
 * @param user such as `presence.user`; without a name it is called by its id, without a colour it has the one made from its id
 */
export function caretUser(user: UserInfo): CaretUser {
  // [EDIT-1]
  const { id, name = id, color = colorOf(id), colorLight = `${color}33` } = user;
  return { id, name, color, colorLight };
}

/** The user that an awareness state is of; one without an id goes by the client id. */
export function caretUserOf(clientId: number, state: unknown): CaretUser {
  const { user, name, color } = asRecord(state);
  return caretUser(readUser(user ?? { name, color }, String(clientId)));
}
