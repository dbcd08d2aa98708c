// What is shown of what the relay says.
import { element } from "./dom.js";

const time = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** @param {number} at */
const clock = (at) => time.format(at);

/** @param {number} bytes */
export function sizeOf(bytes) {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${Math.round(bytes / 1_024)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** @param {{ id: string, name?: string }} user */
export const nameOf = (user) => user.name ?? user.id;

/** @param {import("./relay.js").Numbers} numbers */
export function numbersView({ users, rooms, sockets, connections, unsentBytes, otherRelays, trouble }) {
  /** @type {[string, string, string][]} */
  const pairs = [
    ["people", String(users), ""],
    ["rooms", String(rooms), ""],
    ["sockets", String(sockets), ""],
    ["channels", String(connections), ""],
    ["unsent", sizeOf(unsentBytes), ""],
  ];
  if (otherRelays !== null) pairs.push(["other relays", String(otherRelays), ""]);
  if (trouble !== null) pairs.push(["", trouble, "trouble"]);
  return pairs.map(([term, value, kind]) =>
    element("div", { class: kind }, element("dt", {}, term), element("dd", {}, value)),
  );
}

/**
 * A line of a list, which opens something.
 *
 * @param {{ key: string, name: string, more: string, count?: string, status?: string, isOpen: boolean }} line
 */
export function rowView({ key, name, more, count = "", status, isOpen }) {
  const dot =
    status === undefined ? [] : [element("span", { class: "dot", "data-status": status, "aria-hidden": "true" })];
  return element(
    "button",
    { class: "row", "data-key": key, ...(isOpen && { "aria-current": "true" }) },
    ...dot,
    element("span", { class: "what" }, line("name", name), line("more", more)),
    element("span", { class: "count" }, count),
  );
}

/**
 * @param {string} kind
 * @param {string} text
 */
function line(kind, text) {
  const made = element("span", { class: kind }, text);
  made.style.display = "block";
  return made;
}

/** @param {import("./relay.js").Socket} socket */
export function socketView({ address, kind, user, rooms, unsentBytes, quietMs, silent }) {
  const about = [
    kind === "stock" ? "y-websocket" : kind,
    `${rooms} ${rooms === 1 ? "room" : "rooms"}`,
    `heard ${Math.round(quietMs / 1_000)} s ago`,
    ...(silent ? ["page silent"] : []),
  ];
  return element(
    "div",
    { class: "row" },
    element("span", { class: "what" }, line("name", user ?? address), line("more", about.join(" · "))),
    element("span", { class: "count" }, unsentBytes === 0 ? "" : `${sizeOf(unsentBytes)} unsent`),
  );
}

/** @param {string} text */
export const nothingView = (text) => element("p", { class: "none" }, text);

/** @param {import("./relay.js").Person} person */
export function personView({ id, user, reasons, connections }) {
  const name = user === null ? id : nameOf(user);
  const status = user?.status ?? "offline";
  return [
    element(
      "div",
      { class: "who" },
      element("span", { class: "face", "aria-hidden": "true" }, initialsOf(name)),
      element(
        "div",
        {},
        element("h2", {}, name),
        element(
          "p",
          { class: "state" },
          element("span", { class: "dot", "data-status": status, "aria-hidden": "true" }),
          `${status} · ${id}`,
        ),
      ),
    ),
    element("h3", {}, "Why"),
    element("ul", { class: "reasons" }, ...reasons.map(reasonView)),
    element("h3", {}, `Connections (${connections.length})`),
    connections.length === 0
      ? element("p", { class: "faint" }, "None on this relay.")
      : tableView(["Room", "Session", "Through", "Address", "Seen"], connections.map(connectionCells)),
  ];
}

/** @param {import("./relay.js").Connection} connection */
function connectionCells({ room, session, from, address, visible }) {
  // what begins so is the session: the whole of it would push the rest aside
  const short = session.length > 14 ? `${session.slice(0, 12)}…` : session;
  return [room, short, from, address, room.startsWith("@") ? "as the lobby says" : visible ? "by others" : "by nobody"];
}

/** @param {import("./relay.js").Reason} reason */
function reasonView({ rule, text, at }) {
  return element(
    "li",
    {},
    element("time", {}, at === null ? "" : clock(at)),
    element("span", {}, text),
    element("span", { class: "rule" }, rule),
  );
}

/**
 * @param {readonly string[]} heads
 * @param {readonly (readonly string[])[]} rows
 */
function tableView(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((text) => element("td", {}, text))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Connections" }, table);
}

/**
 * @param {string} name
 * @param {import("./relay.js").User[]} users
 * @param {import("./relay.js").Room | undefined} room
 */
export function roomView(name, users, room) {
  const about = room === undefined ? "nobody is here" : aboutRoom(room);
  return [
    element("div", { class: "who" }, element("div", {}, element("h2", {}, name), element("p", {}, about))),
    element("h3", {}, `People (${users.length})`),
    ...users.map((user) =>
      rowView({
        key: `person ${user.id}`,
        name: nameOf(user),
        more: aboutUser(user),
        status: user.status,
        isOpen: false,
      }),
    ),
  ];
}

/** @param {import("./relay.js").Room} room */
export function aboutRoom({ connections, stock, hasDocument }) {
  const parts = [`${connections} ${connections === 1 ? "connection" : "connections"}`];
  if (stock > 0) parts.push(`${stock} of y-websocket`);
  if (hasDocument) parts.push("document");
  return parts.join(" · ");
}

/** @param {import("./relay.js").User} user */
export function aboutUser({ status, rooms, sessions }) {
  const where = rooms.length === 0 ? "" : ` · ${rooms.slice(0, 3).join(", ")}${rooms.length > 3 ? ", …" : ""}`;
  return `${status}${sessions.length > 1 ? ` · ${sessions.length} sessions` : ""}${where}`;
}

/** @param {import("./relay.js").Happening} event */
export function eventView({ type, userId, roomId, status, timestamp, user }) {
  const does = type === "join" ? "enters" : type === "leave" ? "leaves" : `is ${status} in`;
  return element(
    "li",
    { "data-type": type },
    element("time", {}, clock(timestamp)),
    element("span", {}, `${user === undefined ? userId : nameOf(user)} `, element("b", {}, does), ` ${roomId}`),
  );
}

/** @param {string} name */
function initialsOf(name) {
  const [first = "", second = ""] = name.split(/\s+/).map((word) => /^./su.exec(word)?.[0] ?? "");
  return (first + second).toUpperCase();
}
