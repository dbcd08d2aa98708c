import type { RoomSummary } from "copresence";
import { useLobby } from "copresence/react";
import { useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { who } from "../Avatar.tsx";
import { hrefOf, made, open, seeds, slugOf, titleOf } from "../documents.ts";
import { Icon } from "../icons.tsx";
import { isolated } from "../isolated.ts";
import { Name } from "../Name.tsx";
import { nameOf } from "../presence.ts";

export function Documents({ current }: { current: string }) {
  const rooms = useLobby((lobby) => lobby.rooms);
  const [adding, setAdding] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const summaries = new Map(rooms.filter(({ name }) => slugOf(name) === name).map((room) => [room.name, room]));
  const names = new Set([...seeds, ...made(), current, ...summaries.keys()]);

  const create = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const title = new FormData(event.currentTarget).get("title");
    const name = typeof title === "string" ? slugOf(title) : "";
    if (name !== "") open(name);
    setAdding(false);
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    // this alone: the drawer that it is in stays open
    event.preventDefault();
    setAdding(false);
    button.current?.focus();
  };

  return (
    <section aria-labelledby="documents">
      <header className="label-row">
        <h2 className="label" id="documents">
          Documents
        </h2>
        <button
          ref={button}
          className="quiet"
          aria-label="New document"
          aria-expanded={adding}
          onClick={() => setAdding(!adding)}
        >
          <Icon name="plus" />
        </button>
      </header>
      <ul>
        {[...names].map((name) => (
          <li key={name}>
            <DocumentRow name={name} room={summaries.get(name)} current={name === current} />
          </li>
        ))}
        {adding && (
          <li>
            <form className="new-doc" onSubmit={create}>
              <input
                autoFocus
                name="title"
                maxLength={60}
                placeholder="Title, then Enter"
                aria-label="Title of the new document"
                autoComplete="off"
                onBlur={() => setAdding(false)}
                onKeyDown={onKey}
              />
            </form>
          </li>
        )}
      </ul>
    </section>
  );
}

function DocumentRow({
  name,
  room,
  current,
}: {
  name: string;
  room: RoomSummary<unknown> | undefined;
  current: boolean;
}) {
  const count = room?.count ?? 0;
  const people = room?.users ?? [];
  return (
    <a
      className="row doc"
      href={hrefOf(name)}
      aria-current={current ? "page" : undefined}
      data-testid={`doc-${name}`}
      data-count={count}
    >
      <Icon name="page" />
      <span className="row-name">
        <Name>{titleOf(name)}</Name>
      </span>
      {count > 0 && (
        <span className="here" title={people.map((user) => isolated(nameOf(user))).join(", ")}>
          <span className="dots" aria-hidden="true">
            {people.slice(0, 4).map((user) => (
              <i key={user.id} style={who(user)} />
            ))}
          </span>
          <span className="count">
            {count}
            <span className="sr"> here</span>
          </span>
        </span>
      )}
    </a>
  );
}
