import type { Room } from "copresence";
import { memo, useEffect, useState, type CSSProperties } from "react";
import { who } from "../Avatar.tsx";
import { identity } from "../identity.ts";
import type { PointerState } from "./useOwnPointer.ts";

interface Pointer extends PointerState {
  readonly clientId: number;
  readonly userId: string;
  readonly name: string;
  readonly color: string;
}

type State = {
  user?: { id?: unknown; name?: unknown; color?: unknown };
  pointer?: { x?: unknown; y?: unknown } | null;
};

function read(states: Map<number, State>): Pointer[] {
  const pointers: Pointer[] = [];
  for (const [clientId, { user, pointer }] of states) {
    const [x, y] = [pointer?.x, pointer?.y];
    if (typeof x !== "number" || typeof y !== "number" || user?.id === identity.get().id) continue;
    const { id = clientId, name = "Guest", color = "gray" } = user ?? {};
    pointers.push({ clientId, userId: String(id), name: String(name), color: String(color), x, y });
  }
  return pointers;
}

/** For `style`: how far to the right it is, so that the name there can stay on the page. */
function at(x: number): CSSProperties {
  return { "--x": x } as CSSProperties;
}

/** The others' pointers. They move often, so this alone listens for them; rosters and side bar stay as they are. */
export const Pointers = memo(function Pointers({ room }: { room: Room }) {
  const [pointers, setPointers] = useState<Pointer[]>([]);

  useEffect(() => {
    const { awareness } = room;
    const refresh = () => {
      const next = read(awareness.getStates());
      setPointers((before) => (before.length + next.length === 0 ? before : next));
    };
    refresh();
    awareness.on("change", refresh);
    return () => awareness.off("change", refresh);
  }, [room]);

  return (
    <div className="pointers" aria-hidden="true">
      {pointers.map(({ clientId, userId, name, color, x, y }) => (
        <div
          key={clientId}
          className="pointer"
          data-testid={`pointer-${userId}`}
          style={{ ...who({ color }), ...at(x), transform: `translate(${x * 100}%, ${y}px)` }}
        >
          <svg viewBox="0 0 18 20">
            <path d="M2 1.5 16 9l-6.3 1.9L6.6 17z" />
          </svg>
          <span dir="auto">{name}</span>
        </div>
      ))}
    </div>
  );
});
