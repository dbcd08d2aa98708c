/**
 * The visitor's session with the demo's own server (`demo/session.js`): who signed in, and the tokens that the relay
 * lets them in with. Where there is no such server, nobody signs in, and the relay is an open one.
 */
import { identity } from "./identity.ts";
import { type Visit, relayUrl, visit } from "./presence.ts";

interface SignedIn {
  readonly id: string;
  readonly name: string;
  readonly color: string;
}

interface Answer {
  /** The address of the relay. */
  readonly relay: string;
  readonly user: SignedIn | null;
}

/** `open`: everybody who comes is in. `out`: the visitor has yet to sign in. `in`: the visitor has. */
export type Session =
  | { readonly state: "open" | "in"; readonly visit: Visit }
  | { readonly state: "out"; readonly visit: null };

const OUT: Session = { state: "out", visit: null };
let current: Session = OUT;
const listeners = new Set<() => void>();

async function ask(method: "GET" | "POST" | "DELETE", body?: object): Promise<Answer | null> {
  const response = await fetch("/session", {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return response.ok && isJson ? ((await response.json()) as Answer) : null;
}

/** What the client asks for each time that it connects, and before the last token expires. */
async function fetchToken(): Promise<string> {
  const response = await fetch("/session/token");
  if (response.ok) return response.text();
  // signed out in another tab, or the server was started anew
  if (response.status === 401) close();
  throw new Error(`no token: ${response.status}`);
}

function become(next: Session): void {
  current = next;
  for (const listener of listeners) listener();
}

function enter({ relay, user }: Answer): void {
  if (user === null) return become(OUT);
  identity.signIn(user);
  // a token is shown to no relay but the server's own, whatever the address says
  become({ state: "in", visit: visit(relay, fetchToken) });
}

function close(): void {
  current.visit?.leave();
  become(OUT);
}

export const session = {
  get: (): Session => current,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  async resume(): Promise<void> {
    const answer = await ask("GET").catch(() => null);
    if (answer === null) become({ state: "open", visit: visit(relayUrl) });
    else enter(answer);
  },
  /** Rejects if it did not work. */
  async signIn(name: string, color: string): Promise<void> {
    const answer = await ask("POST", { name, color });
    if (answer === null) throw new Error("not signed in");
    enter(answer);
  },
  async signOut(): Promise<void> {
    close();
    await ask("DELETE");
  },
};
