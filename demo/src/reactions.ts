/**
 * Reactions: one-off messages to everybody in the document, shown for a moment and then gone. Others send them too, so what a
 * message says is read with care.
 */
import type { Json, MessageAuthor, Room, RoomMessage, User } from "copresence";
import { useMessages } from "copresence/react";
import { useCallback, useEffect, useRef, useState } from "react";

export const reactionNames = {
  love: "Love it",
  hooray: "Hooray",
  agree: "Agreed",
  question: "Question",
  look: "Look here",
} as const;
export type ReactionKind = keyof typeof reactionNames;
export const reactionKinds = Object.keys(reactionNames) as readonly ReactionKind[];

const TYPE = "quire.reaction";
const SHOWN_MS = 3_000;
/** More are not shown at a time. */
const MOST = 12;
/** One's own come no faster. */
const APART_MS = 300;

export interface Reaction {
  readonly key: number;
  readonly kind: ReactionKind;
  /** Who sent it, and at whose caret it is shown; null: this tab sent it. */
  readonly from: MessageAuthor | null;
  /** The document that it was sent in. */
  readonly room: Room;
}

export interface Reactions {
  /** The newest last. */
  readonly shown: readonly Reaction[];
  send(kind: ReactionKind): void;
}

let keys = 0;

function kindIn(payload: Json): ReactionKind | null {
  const kind = typeof payload === "object" && payload !== null && "kind" in payload ? payload.kind : null;
  return reactionKinds.find((known) => known === kind) ?? null;
}

/** Whose a reaction is: of this tab, or of its user's others, it is one's own. */
export function isOf({ from }: Reaction, user: Pick<User<unknown>, "id" | "self">): boolean {
  return from === null ? user.self : from.userId === user.id;
}

export function useReactions(room: Room | null): Reactions {
  const [shown, setShown] = useState<readonly Reaction[]>([]);
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());
  const sentAt = useRef(-Infinity);

  const show = useCallback((reaction: Omit<Reaction, "key">) => {
    const key = ++keys;
    setShown((before) => [...before, { ...reaction, key }].slice(-MOST));
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      setShown((before) => before.filter((each) => each.key !== key));
    }, SHOWN_MS);
    timers.current.add(timer);
  }, []);

  useMessages(room, ({ type, payload, from }: RoomMessage) => {
    const kind = type === TYPE ? kindIn(payload) : null;
    if (kind !== null && from !== null && room !== null) show({ kind, from, room });
  });

  useEffect(() => {
    const own = timers.current;
    return () => {
      for (const timer of own) clearTimeout(timer);
      own.clear();
    };
  }, []);

  const send = useCallback(
    (kind: ReactionKind) => {
      if (performance.now() - sentAt.current < APART_MS) return;
      // without a connection it is lost, and it had better not look as if it were not
      if (room?.broadcast(TYPE, { kind }) !== true) return;
      sentAt.current = performance.now();
      show({ kind, from: null, room });
    },
    [room, show],
  );
  return { shown: shown.filter((each) => each.room === room), send };
}
