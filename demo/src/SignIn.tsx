import { useState, type FormEvent } from "react";
import { identity } from "./identity.ts";
import { session } from "./session.ts";
import { Mark } from "./icons.tsx";
import { NameField } from "./NameField.tsx";
import { Swatches } from "./Swatches.tsx";

/** A name and a colour, which the server then vouches for. */
export function SignIn() {
  const [me] = useState(identity.get);
  const [color, setColor] = useState(me.color);
  const [failed, setFailed] = useState(false);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget).get("name");
    session.signIn(typeof name === "string" ? name : "", color).catch(() => setFailed(true));
  };

  return (
    <main className="sign-in">
      <form className="sign-in-card" onSubmit={submit}>
        <header className="brand">
          <Mark />
          <h1>Quire</h1>
        </header>
        <label className="label" htmlFor="sign-in-name">
          Your name
        </label>
        <NameField
          id="sign-in-name"
          name="name"
          defaultValue={me.name}
          required
          autoFocus
          autoComplete="nickname"
          data-testid="sign-in-name"
        />
        <Swatches color={color} onChoose={setColor} />
        <button className="primary" data-testid="sign-in">
          Sign in
        </button>
        {failed && <p role="alert">That did not work. Is the server still there?</p>}
        <p className="hint">
          There is no password: this demo believes whatever name you give. From then on a signed token says who you are,
          and the relay believes nothing else.
        </p>
      </form>
    </main>
  );
}
