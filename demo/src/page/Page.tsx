import type { Room } from "copresence";
import { useCanWrite, useRefusal } from "copresence/react";
import { useRef } from "react";
import { titleOf } from "../documents.ts";
import type { Reaction } from "../reactions.ts";
import { CaretReactions } from "./CaretReactions.tsx";
import { Editor } from "./Editor.tsx";
import { Pointers } from "./Pointers.tsx";
import { useOwnPointer } from "./useOwnPointer.ts";

/**
 * The sheet of paper: the title, the text, and the pointers of those who look at it. Where what is written would reach
 * nobody, because the relay refused the document or takes no edits, the text can only be read.
 */
export function Page({ name, room, reactions }: { name: string; room: Room | null; reactions: readonly Reaction[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const column = useRef<HTMLDivElement>(null);
  const isRefused = useRefusal(room) !== null;
  const canWrite = useCanWrite(room);
  useOwnPointer(room, scroller, column);
  return (
    <div className="page" ref={scroller}>
      <div className="sheet">
        <div className="column" ref={column}>
          <h1 className="title" dir="auto">
            {titleOf(name)}
          </h1>
          <p className="viewer" role="status" data-testid="viewer">
            {!isRefused && !canWrite && "You can read this document, but not change it."}
          </p>
          {room && <Editor room={room} readOnly={isRefused || !canWrite} />}
          {room && <Pointers room={room} />}
          {room && <CaretReactions room={room} shown={reactions} />}
        </div>
      </div>
    </div>
  );
}
