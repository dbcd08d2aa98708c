import { useState, type FormEvent } from "react";
import { identity, type Identity } from "../identity.ts";
import { NameField } from "../NameField.tsx";
import { session } from "../session.ts";
import { Swatches } from "../Swatches.tsx";

/**
 * One's note to everyone, name and colour; text is taken on Enter or on leaving the field. Of one who signed in, name and
 * colour are as the token has them.
 */
export function Profile({ me }: { me: Identity }) {
  const isSignedIn = session.get().state === "in";
  const [note, setNote] = useState(me.note);
  const [name, setName] = useState(me.name);

  const keepName = () => {
    const next = name.trim();
    setName(next || me.name);
    if (next && next !== me.name) identity.set({ name: next });
  };
  const keepNote = () => {
    if (note.trim() !== me.note) identity.set({ note: note.trim() });
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    keepName();
    keepNote();
  };

  return (
    <form className="profile" onSubmit={submit}>
      <input
        value={note}
        maxLength={60}
        placeholder="What are you up to?"
        aria-label="A note that everyone sees"
        data-testid="note"
        autoComplete="off"
        onChange={(event) => setNote(event.target.value)}
        onBlur={keepNote}
      />
      {isSignedIn ? (
        <button type="button" className="sign-out" data-testid="sign-out" onClick={() => void session.signOut()}>
          Sign out
        </button>
      ) : (
        <>
          <NameField
            value={name}
            placeholder="Your name"
            aria-label="Your name"
            data-testid="name"
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
            onBlur={keepName}
          />
          <Swatches color={me.color} onChoose={(color) => identity.set({ color })} />
        </>
      )}
      <button className="sr" tabIndex={-1}>
        Save
      </button>
    </form>
  );
}
