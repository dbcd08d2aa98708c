import { createPresence } from "copresence";

// who you are: here a name for each browser, in your application the person who is signed in
const query = new URLSearchParams(location.search);
const name = query.get("name") ?? (localStorage.id ??= `guest-${Math.floor(Math.random() * 10_000)}`);
const relay = query.get("relay") ?? "ws://localhost:1234";

/** One client for the page, made outside of components. */
export const presence = createPresence(relay, { user: { id: name.toLowerCase(), name } });
