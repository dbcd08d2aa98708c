/** Rules that are broken on purpose, one in each relay, by the number of the rule. */
import type { Entry } from "../../src/wire/index.ts";
import { type Fault, type World, Owners, entriesIn, isAnswer, isUpdate, messageOf } from "./faulty-relay.ts";

/** Says something as somebody who has just come: first that they are who had the id, and then what was meant. */
function sayAnew(messages: readonly Uint8Array[], room: string, { hub }: World): void {
  const channel = hub.accept({ bufferedAmount: 0, send() {}, close() {} }, { room, identity: null });
  for (const message of messages) channel.message(message);
}

/** Lets a connection speak for ids whose owner's connection ended with a code that is meant. */
function speaksForThoseGone(isMeant: (code: number) => boolean): Pick<Fault, "inbound" | "closed"> {
  const owners = new Owners();
  const last = new Map<string, Entry>();
  return {
    inbound(message, from, world) {
      for (const entry of entriesIn(message)) {
        const key = `${from.room} ${entry.id}`;
        const other = owners.other(from, entry.id);
        if (other === null && entry.state !== null) last.set(key, entry);
        const code = other?.code ?? null;
        if (code === null || entry.state === null || !isMeant(code)) continue;
        const before = last.get(key);
        const asBefore = before === undefined ? [] : [messageOf([{ ...before, clock: entry.clock - 1 }])];
        sayAnew([...asBefore, message], from.room, world);
        return true;
      }
      return false;
    },
    closed: (connection, code) => owners.closed(connection, code),
  };
}

/** Clocks that rise only when a state changes, as the clients' own do. */
function clocksOfClients(): Pick<Fault, "outbound"> {
  const known = new Map<string, { clock: number; state: string }>();
  return {
    outbound(message, room) {
      const entries = entriesIn(message);
      if (entries.length === 0) return [message];
      const told = entries.map(({ id, state }): Entry => {
        const text = state === null ? "null" : Buffer.from(state).toString();
        const before = known.get(`${room} ${id}`);
        const clock =
          before === undefined ? 1 : before.state === text || state === null ? before.clock : before.clock + 1;
        known.set(`${room} ${id}`, { clock, state: state === null ? (before?.state ?? text) : text });
        return { id, clock, state };
      });
      return [messageOf(told)];
    },
  };
}

/** Hands what somebody says of others to the owner's own connection. */
function anybodySpeaksForAnybody(): Pick<Fault, "inbound" | "closed"> {
  const owners = new Owners();
  return {
    inbound(message, from) {
      for (const entry of entriesIn(message)) {
        const other = owners.other(from, entry.id);
        if (other === null || other.code !== null) continue;
        other.owner.channel.message(messageOf([entry]));
      }
      return false;
    },
    closed: (connection, code) => owners.closed(connection, code),
  };
}

/** What a client says back of others' states goes to everybody again. */
function passesEchoesOn(): Fault {
  const owners = new Owners();
  return {
    inbound(message, from, { connections }) {
      const echoes = entriesIn(message).filter(({ id, state }) => owners.other(from, id) !== null && state !== null);
      if (echoes.length === 0) return false;
      // told with the lowest clock, which nobody takes for news: it is the traffic that is wrong
      const told = messageOf(echoes.map((entry) => ({ ...entry, clock: 0 })));
      for (const { room, socket } of connections) if (room === from.room && socket !== from.socket) socket.send(told);
      return false;
    },
    closed: (connection, code) => owners.closed(connection, code),
  };
}

/** What is broken besides, since it builds on the rule. */
export const consequences: Readonly<Record<string, readonly string[]>> = {
  // who do not get what is written get no document that was kept either
  "ROOM-1": ["DOC-3"],
  "ROOM-4": ["ROOM-3"],
  // who is gone at once cannot have their place kept
  "LIVE-2": ["ID-3"],
};

export const faults: Readonly<Record<string, () => Fault>> = {
  "ROOM-1": () => ({ outbound: (message) => (isUpdate(message) ? [] : [message]) }),
  "ROOM-3": () => ({ forgets: true }),
  "ROOM-4": () => ({ outbound: (message) => (isAnswer(message) ? [] : [message]) }),
  "ROOM-5": () => ({ options: { tick: 900 } }),
  "ROOM-6": () => ({
    inbound(message, from) {
      if (isUpdate(message)) from.socket.send(message);
      return false;
    },
  }),
  "LIVE-1": () => ({ options: { closeCodes: { 1000: 1006 } } }),
  "LIVE-2": () => ({ options: { leaveGrace: 0 } }),
  "LIVE-3": () => ({ options: { closeCodes: { 1001: 1006 } } }),
  "LIVE-10": clocksOfClients,
  "OWN-1": anybodySpeaksForAnybody,
  "OWN-2": passesEchoesOn,
  "OWN-6": () => speaksForThoseGone((code) => code !== 1006),
  "ID-3": () => speaksForThoseGone((code) => code === 1006),
  "WIRE-2": () => ({ neverCloses: [4400] }),
};
