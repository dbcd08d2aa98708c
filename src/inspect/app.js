// The inspector: who is here and why, by the relay's own word. What is shown is asked for while the page is in view, and no longer.
import { byId, element, inputOf, show } from "./dom.js";
import { Refused, get, listen, setKey } from "./relay.js";
import * as views from "./views.js";

const KEY = "copresence:inspect";
const REFRESH_MS = 2_000;
const MAX_EVENTS = 200;
const TABS = ["people", "rooms", "sockets"];

/** @type {{ tab: string, open: { kind: string, id: string } | null, overview: import("./relay.js").Overview | null, users: import("./relay.js").User[], more: boolean, loaded: Set<string> }} */
const state = { tab: "people", open: null, overview: null, users: [], more: false, loaded: new Set() };
/** @type {(() => void) | null} */
let stopListening = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let asked = 0;

const list = byId("list");
const detail = byId("detail");
const feed = byId("feed");
const find = inputOf("find");
const lobby = inputOf("lobby");

/** @param {string} [status] */
function inLobby(status = "") {
  const name = lobby.value.trim();
  const params = new URLSearchParams({
    ...(name !== "" && { lobby: name }),
    ...(status !== "" && { status }),
    limit: "500",
  });
  return params.toString();
}

/** What is not on the screen is not asked for. [INSP-6] */
function listed() {
  const isRoom = state.tab === "rooms" || state.open?.kind === "room";
  if (state.tab === "sockets") return isRoom ? "" : "?list=sockets";
  return isRoom ? "?list=rooms" : "?list=none";
}

async function refresh() {
  clearTimeout(timer);
  const mine = ++asked;
  try {
    const { tab } = state;
    const [overview, page] = await Promise.all([
      get(`/inspect${listed()}`),
      tab === "people" ? get(`/users?${inLobby()}`) : null,
    ]);
    if (mine !== asked) return;
    const before = state.overview;
    state.overview = {
      ...overview,
      rooms: overview.rooms.length > 0 || tab === "rooms" ? overview.rooms : (before?.rooms ?? []),
      sockets: tab === "sockets" ? overview.sockets : (before?.sockets ?? []),
    };
    state.loaded.add(tab);
    if (page !== null) Object.assign(state, { users: page.users, more: page.cursor !== null });
    draw();
    await drawDetail(mine);
  } catch (error) {
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) return close(error.message);
    live("lost", "the relay does not answer");
  }
  if (mine === asked && !document.hidden) timer = setTimeout(() => void refresh(), REFRESH_MS);
}

function draw() {
  const { overview, tab } = state;
  if (overview === null) return;
  show(byId("numbers"), views.numbersView(overview.relay));
  for (const name of TABS) {
    const button = byId(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
  }
  list.setAttribute("aria-labelledby", `tab-${tab}`);
  const rows = rowsOf(tab, overview);
  const none = find.value === "" ? "Nobody and nothing here." : "Nothing is found.";
  show(list, rows.length > 0 ? rows : [views.nothingView(state.loaded.has(tab) ? none : "…")]);
}

/**
 * @param {string} tab
 * @param {import("./relay.js").Overview} overview
 */
function rowsOf(tab, overview) {
  const sought = find.value.trim().toLowerCase();
  /** @param {...(string | null | undefined)} texts */
  const fits = (...texts) => texts.some((text) => text?.toLowerCase().includes(sought));
  /**
   * @param {string} kind
   * @param {string} id
   */
  const isOpen = (kind, id) => state.open?.kind === kind && state.open.id === id;
  if (tab === "rooms") {
    return overview.rooms
      .filter(({ name }) => fits(name))
      .map((room) =>
        views.rowView({
          key: `room ${room.name}`,
          name: room.name,
          more: views.aboutRoom(room),
          count: String(room.users),
          isOpen: isOpen("room", room.name),
        }),
      );
  }
  if (tab === "sockets")
    return overview.sockets.filter(({ address, user }) => fits(address, user)).map(views.socketView);
  const rows = state.users
    .filter(({ id, name }) => fits(id, name))
    .map((user) =>
      views.rowView({
        key: `person ${user.id}`,
        name: views.nameOf(user),
        more: views.aboutUser(user),
        status: user.status,
        isOpen: isOpen("person", user.id),
      }),
    );
  // somebody who left, is invisible, or stands further down
  const exact = find.value.trim();
  if (exact !== "" && !state.users.some(({ id }) => id === exact)) {
    rows.push(
      views.rowView({
        key: `person ${exact}`,
        name: `Ask about “${exact}”`,
        more: "by the user's id",
        isOpen: isOpen("person", exact),
      }),
    );
  }
  if (state.more) rows.push(views.nothingView("More people are online than are listed: look for one by their id."));
  return rows;
}

/** @param {number} mine */
async function drawDetail(mine) {
  const { open } = state;
  if (open === null) return show(detail, [views.nothingView("Choose somebody, or a room, to see why it is as it is.")]);
  const id = encodeURIComponent(open.id);
  const name = lobby.value.trim();
  const where = name === "" ? "" : `?${new URLSearchParams({ lobby: name })}`;
  const answer = await get(open.kind === "person" ? `/inspect/users/${id}${where}` : `/rooms/${id}`);
  if (mine !== asked || state.open !== open) return;
  const room = state.overview?.rooms.find((each) => each.name === open.id);
  show(detail, open.kind === "person" ? views.personView(answer) : views.roomView(open.id, answer.users ?? [], room));
}

/**
 * @param {string} name
 * @param {string} text
 */
function live(name, text) {
  byId("live").dataset.state = name;
  if (byId("live").textContent !== text) byId("live").textContent = text;
}

function start() {
  stopListening ??= listen({
    happened: (event) => {
      feed.prepend(views.eventView(event));
      while (feed.children.length > MAX_EVENTS) feed.lastElementChild?.remove();
    },
    state: (isLive) => live(isLive ? "live" : "lost", isLive ? "live" : "lost, trying again"),
  });
  void refresh();
}

function stop() {
  clearTimeout(timer);
  asked++;
  stopListening?.();
  stopListening = null;
}

/** @param {string | null} key */
function enter(key) {
  setKey(key);
  byId("door").hidden = key !== null;
  for (const id of ["desk", "numbers", "forget"]) byId(id).hidden = key === null;
  if (key === null) {
    live("off", "not connected");
    inputOf("key").focus();
  } else start();
}

/** @param {string} why */
function close(why) {
  stop();
  sessionStorage.removeItem(KEY);
  enter(null);
  byId("wrong").textContent = why;
}

/** The address says what is open: `#person/alice`, `#room/doc-1`. */
function route() {
  const [, kind = "", id = ""] = /^#(person|room)\/(.+)$/.exec(location.hash) ?? [];
  state.open = kind === "" ? null : { kind, id: decodeURIComponent(id) };
  void refresh();
}

/** @param {Event} event */
function opened({ target }) {
  const key = target instanceof Element ? target.closest("button[data-key]")?.getAttribute("data-key") : null;
  const [, kind, id] = /^(person|room) ([^]*)$/.exec(key ?? "") ?? [];
  if (id !== undefined) location.hash = `#${kind}/${encodeURIComponent(id)}`;
}

/** @param {string} tab */
function choose(tab) {
  state.tab = tab;
  draw();
  void refresh();
  list.scrollTop = 0;
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = inputOf("key").value.trim();
  inputOf("key").value = "";
  byId("wrong").textContent = "";
  sessionStorage.setItem(KEY, key);
  enter(key);
});
byId("forget").addEventListener("click", () => close(""));
for (const tab of TABS) byId(`tab-${tab}`).addEventListener("click", () => choose(tab));
document.querySelector("[role=tablist]")?.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[/** @type {KeyboardEvent} */ (event).key];
  if (step === undefined) return;
  choose(TABS[(TABS.indexOf(state.tab) + step + TABS.length) % TABS.length] ?? "people");
  byId(`tab-${state.tab}`).focus();
});
find.addEventListener("input", draw);
lobby.addEventListener("change", () => void refresh());
list.addEventListener("click", opened);
detail.addEventListener("click", opened);
list.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const rows = [...list.querySelectorAll("button")];
  const at = rows.findIndex((row) => row === document.activeElement);
  if (step === undefined || at < 0) return;
  event.preventDefault();
  rows[at + step]?.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
    event.preventDefault();
    find.focus();
  }
  if (event.key === "Escape" && state.open !== null) history.pushState(null, "", location.pathname);
  if (event.key === "Escape") route();
});
globalThis.addEventListener("hashchange", route);
// a page that nobody looks at asks for nothing
document.addEventListener("visibilitychange", () => {
  if (byId("desk").hidden) return;
  if (document.hidden) stop();
  else start();
});

const [, kind = "", id = ""] = /^#(person|room)\/(.+)$/.exec(location.hash) ?? [];
if (kind !== "") state.open = { kind, id: decodeURIComponent(id) };
show(detail, [element("p", { class: "none" }, "…")]);
enter(sessionStorage.getItem(KEY));
