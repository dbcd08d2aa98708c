/** Reactions at the carets of those who sent them; who has none in sight is told by their face at the top alone. */
import { EditorView } from "@codemirror/view";
import type { Room } from "copresence";
import { useUsers } from "copresence/react";
import { memo, useLayoutEffect, useRef, useState } from "react";
import { who } from "../Avatar.tsx";
import { Icon } from "../icons.tsx";
import { nameOf } from "../presence.ts";
import { type Reaction, isOf, reactionNames } from "../reactions.ts";
import { caretOf } from "./caret.ts";

interface Props {
  room: Room;
  shown: readonly Reaction[];
}

export function CaretReactions({ room, shown }: Props) {
  const users = useUsers(room);
  const newest = shown.findLast(({ from }) => from !== null);
  const authorOf = (reaction: Reaction) => users.find((user) => isOf(reaction, user));
  const author = newest && authorOf(newest);
  return (
    <>
      <div className="reactions" aria-hidden="true">
        {shown.map((reaction) => (
          <AtCaret key={reaction.key} room={room} reaction={reaction} color={authorOf(reaction)?.color} />
        ))}
      </div>
      <p className="sr" role="status" data-testid="reacted">
        {newest && author && `${nameOf(author)}: ${reactionNames[newest.kind]}`}
      </p>
    </>
  );
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const AtCaret = memo(function AtCaret({
  room,
  reaction: { kind, from },
  color,
}: {
  room: Room;
  reaction: Reaction;
  color: string | undefined;
}) {
  const anchor = useRef<HTMLSpanElement>(null);
  const [place, setPlace] = useState<Place | null>(null);

  const clientId = from?.clientId ?? null;
  useLayoutEffect(() => {
    const column = anchor.current?.closest<HTMLElement>(".column");
    if (column) setPlace(placeIn(column, room, clientId));
  }, [room, clientId]);

  return (
    <span
      ref={anchor}
      className="reaction"
      data-testid={place === null ? undefined : `reaction-${kind}`}
      hidden={place === null}
      style={{ ...who(color === undefined ? {} : { color }), ...(place && { left: place.x, top: place.y }) }}
    >
      <Icon name={kind} />
    </span>
  );
});

/** Where somebody's caret is in the column of text; null: nowhere. @param clientId null: one's own */
function placeIn(column: HTMLElement, room: Room, clientId: number | null): Place | null {
  const editor = column.querySelector<HTMLElement>(".cm-editor");
  const view = editor && EditorView.findFromDOM(editor);
  const head = clientId === null ? view?.state.selection.main.head : caretOf(room, clientId);
  if (!view || head === undefined || head === null || head > view.state.doc.length) return null;
  const at = view.coordsAtPos(head);
  if (at === null) return null;
  const { left, top } = column.getBoundingClientRect();
  return { x: at.left - left, y: at.top - top };
}
