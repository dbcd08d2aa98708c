import type { PresenceEvent, Room } from "copresence";
import { usePresence } from "copresence/react";
import { useEffect, useState } from "react";
import { sentenceOf, withEvent, type Turns } from "./announce.ts";

/** What happens within this time is said together: somebody who comes to a document comes online as well. */
const GATHER_MS = 1_000;
/** At least this long between two sentences, so that a crowd does not talk over everything else. */
const APART_MS = 6_000;

/** Says, politely and not too often, who came and who went. Nobody sees it; screen readers read it out. */
export function Announcer({ room }: { room: Room | null }) {
  const presence = usePresence();
  const [sentence, setSentence] = useState("");
  const name = room?.name ?? "";

  useEffect(() => {
    let turns: Turns = new Map();
    let saidAt = -Infinity;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = () => {
      timer = undefined;
      const next = sentenceOf(turns);
      turns = new Map();
      if (next === "") return;
      saidAt = performance.now();
      setSentence(next);
    };
    const note = (event: PresenceEvent<unknown>) => {
      turns = withEvent(turns, event, name);
      timer ??= setTimeout(say, Math.max(GATHER_MS, saidAt + APART_MS - performance.now()));
    };
    const undo = [presence?.lobby.on("event", note), room?.roster.on("event", note)];
    return () => {
      undo.forEach((off) => off?.());
      clearTimeout(timer);
    };
  }, [presence, room, name]);

  return (
    <p className="sr" role="status" data-testid="announcement">
      {sentence}
    </p>
  );
}
