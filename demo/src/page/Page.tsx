import type { Room } from "copresence";
import { useRef } from "react";
import { useRefusal } from "../connection.ts";
import { titleOf } from "../documents.ts";
import { Editor } from "./Editor.tsx";
import { Pointers } from "./Pointers.tsx";
import { useOwnPointer } from "./useOwnPointer.ts";

/** The sheet of paper: the title, the text, and the pointers of those who look at it. */
export function Page({ name, room }: { name: string; room: Room | null }) {
  const scroller = useRef<HTMLDivElement>(null);
  const column = useRef<HTMLDivElement>(null);
  // what is written to a document that the relay refused reaches nobody
  const readOnly = useRefusal(room?.roster) !== null;
  useOwnPointer(room, scroller, column);
  return (
    <div className="page" ref={scroller}>
      <div className="sheet">
        <div className="column" ref={column}>
          <h1 className="title" dir="auto">
            {titleOf(name)}
          </h1>
          {room && <Editor room={room} readOnly={readOnly} />}
          {room && <Pointers room={room} />}
        </div>
      </div>
    </div>
  );
}
