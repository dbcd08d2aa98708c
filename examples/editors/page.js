// One page for all editors: ?editor=quill&name=Alice. What an editor needs is in the file of its name.
import { createPresence } from "copresence";
import { caretUser } from "copresence/editors";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import "./page.css";

const EDITORS = {
  blocknote: () => import("./blocknote.jsx"),
  canvas: () => import("./canvas.js"),
  codemirror: () => import("./codemirror.js"),
  excalidraw: () => import("./excalidraw.jsx"),
  lexical: () => import("./lexical.jsx"),
  monaco: () => import("./monaco.js"),
  prosemirror: () => import("./prosemirror.js"),
  quill: () => import("./quill.js"),
  slate: () => import("./slate.jsx"),
  tiptap: () => import("./tiptap.js"),
};

const query = new URLSearchParams(location.search);
const editor = query.get("editor") ?? "codemirror";
const name = query.get("name") ?? (localStorage.name ??= `guest-${Math.floor(Math.random() * 10_000)}`);
const relay = query.get("relay") ?? "ws://localhost:1234";
const me = { id: name.toLowerCase(), name };

for (const each of Object.keys(EDITORS)) {
  const link = document.createElement("a");
  // another editor, for the same person
  const there = new URLSearchParams(query);
  there.set("editor", each);
  link.href = `?${there}`;
  link.textContent = each;
  document.getElementById("editors").append(link);
}

const { mount } = await EDITORS[editor]();
const { room, user: own, rename, leave, rejoin } = query.get("client") === "stock" ? stock() : copresence();

/** With our client: the room has all that an editor wants. */
function copresence() {
  const token = query.get("token");
  const presence = createPresence(relay, { user: me, ...(token !== null && { token }) });
  const joined = presence.join(`editors-${editor}`);
  const show = () => {
    const names = joined.roster.users.map((user) => user.name);
    document.getElementById("people").textContent = `${joined.roster.status}: ${names.join(", ")}`;
  };
  joined.roster.subscribe(show);
  show();
  return {
    room: joined,
    user: () => caretUser(presence.user),
    rename: (to) => presence.setUser({ name: to }),
    leave: () => joined.leave(),
    rejoin: () => presence.join(joined.name),
  };
}

/** With y-websocket's provider, as pages have it that do not know copresence. */
function stock() {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(relay, `editors-${editor}`, doc, { disableBc: true });
  const { awareness } = provider;
  awareness.setLocalStateField("user", caretUser(me));
  return {
    room: { doc, awareness, provider, canWrite: true, subscribe: () => () => {} },
    user: () => caretUser(me),
    rename: (to) => awareness.setLocalStateField("user", caretUser({ ...me, name: to })),
    leave: () => provider.destroy(),
    rejoin: () => {},
  };
}

/** Puts an editor on the page; `field` names the shared type that it shows. */
function add(field) {
  const place = document.createElement("div");
  place.className = `field field-${editor}`;
  place.dataset.field = field;
  document.getElementById("fields").append(place);
  const options = { room, user: own, field };
  // mounted, unmounted and mounted again in one turn, as React's StrictMode and hot reload do
  mount(place, options).unmount();
  let mounted = mount(place, options);
  const follow = () => mounted?.setEditable(room.canWrite);
  const stop = room.subscribe(follow);
  follow();
  return {
    unmount() {
      stop();
      mounted?.unmount();
      mounted = undefined;
    },
    mount() {
      mounted = mount(place, options);
    },
  };
}

const fields = (query.get("fields") ?? "content").split(",").map(add);

/** What a test does on this page, and you in its console. */
window.page = {
  room,
  rename,
  leave,
  rejoin,
  unmount: () => fields.forEach((field) => field.unmount()),
  mount: () => fields.forEach((field) => field.mount()),
};
