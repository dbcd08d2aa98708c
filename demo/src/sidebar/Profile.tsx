import { useState, type FormEvent } from "react";
import { who } from "../Avatar.tsx";
import { colors, identity, type Identity } from "../identity.ts";

/** One's note to everyone, name and colour; text is taken on Enter or on leaving the field. */
export function Profile({ me }: { me: Identity }) {
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
      <input
        value={name}
        maxLength={40}
        placeholder="Your name"
        aria-label="Your name"
        data-testid="name"
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
        onBlur={keepName}
      />
      <fieldset className="swatches">
        <legend className="sr">Your colour</legend>
        {colors.map((color) => (
          <label key={color.value} title={color.name} style={who({ color: color.value })}>
            <input
              type="radio"
              name="color"
              aria-label={color.name}
              checked={color.value === me.color}
              onChange={() => identity.set({ color: color.value })}
            />
          </label>
        ))}
      </fieldset>
      <button className="sr" tabIndex={-1}>
        Save
      </button>
    </form>
  );
}
