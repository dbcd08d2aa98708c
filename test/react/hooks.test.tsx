// @vitest-environment happy-dom
import { act, cleanup, render } from "@testing-library/react";
import { type JSX, type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import * as Y from "yjs";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import type { Presence, Room } from "../../src/client/index.ts";
import {
  PresenceProvider,
  useBroadcast,
  useLobby,
  useMessages,
  useOthers,
  usePresence,
  useRoom,
  useSelf,
  useStatus,
  useUsers,
} from "../../src/react/index.ts";
import { ownClient, pause, startRelay, until } from "../support.ts";

// React asks for this to know that updates are awaited
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
afterEach(cleanup);

/** Lets React take in what the network brings until the condition holds. */
async function untilRendered(what: string, condition: () => boolean): Promise<void> {
  await act(() => until(what, condition));
}

function mount(presence: Presence | null, children: ReactNode): { unmount(): void; text(): string } {
  const view = render(<PresenceProvider presence={presence}>{children}</PresenceProvider>);
  return { unmount: view.unmount, text: () => view.container.textContent ?? "" };
}

const names = (users: readonly { readonly name?: string }[]): string => users.map((user) => user.name).join(",");

describe("message hooks", () => {
  it("[REACT-8] send one-off messages by a function that stays the same, and hear them with the newest listener", async () => {
    const { url } = await startRelay();
    const bob = ownClient(url, "bob").join("plans");
    const alice = ownClient(url, "alice");
    const heard: string[] = [];
    bob.on("message", ({ type }) => heard.push(type));
    const got: string[] = [];
    const functions = new Set<unknown>();
    let wave: () => boolean = () => true;
    function Plans({ word }: { readonly word: string }): JSX.Element {
      const room = useRoom("plans");
      const broadcast = useBroadcast(room);
      useMessages(room, ({ type }) => got.push(`${word} ${type}`));
      if (room !== null) functions.add(broadcast);
      wave = () => broadcast("wave", { from: "Alice" });
      return <p>{names(useUsers(room))}</p>;
    }
    const tree = (word: string): JSX.Element => (
      <PresenceProvider presence={alice}>
        <Plans word={word} />
      </PresenceProvider>
    );
    const view = render(tree("first"));
    const text = (): string => view.container.textContent ?? "";
    expect(wave()).toBe(false);
    await untilRendered("both are there", () => text() === "Alice,Bob" && bob.roster.users.length === 2);
    expect(wave()).toBe(true);
    await until("Bob hears Alice", () => heard.length === 1);
    view.rerender(tree("second"));
    bob.broadcast("nod");
    await until("Alice hears Bob", () => got.length > 0);
    expect(got).toEqual(["second nod"]);
    expect(functions.size).toBe(1);
  });
});

describe("lobby hooks", () => {
  it("show the lobby, and follow who comes, changes and goes", async () => {
    const { url } = await startRelay();
    const alice = ownClient(url, "alice");
    function Lobby(): JSX.Element {
      const { users, status, self } = useLobby();
      const online = useLobby((lobby) => lobby.users.filter((user) => user.status === "online").length);
      return <p>{`${status} ${self?.name} [${names(users)}] ${online}`}</p>;
    }
    const view = mount(alice, <Lobby />);
    await untilRendered("alice alone", () => view.text() === "live Alice [Alice] 1");
    const bob = ownClient(url, "bob");
    await untilRendered("bob", () => view.text() === "live Alice [Alice,Bob] 2");
    bob.setStatus("busy");
    await untilRendered("bob is busy", () => view.text() === "live Alice [Alice,Bob] 1");
    bob.destroy();
    await untilRendered("bob left", () => view.text() === "live Alice [Alice] 1");
  });

  it("list rooms with their people", async () => {
    const { url } = await startRelay();
    const alice = ownClient(url, "alice");
    const bob = ownClient(url, "bob");
    bob.join("plans");
    function Rooms(): JSX.Element {
      const rooms = useLobby((lobby) => lobby.rooms);
      return <p>{rooms.map((room) => `${room.name}:${room.count}`).join(" ")}</p>;
    }
    const view = mount(alice, <Rooms />);
    await untilRendered("bob's room", () => view.text() === "plans:1");
    alice.join("plans");
    await untilRendered("alice too", () => view.text() === "plans:2");
  });

  it("read and choose the own status", async () => {
    const { url } = await startRelay();
    const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
    let choose: ReturnType<typeof useStatus>[1] = () => {};
    function Status(): JSX.Element {
      const [status, setStatus] = useStatus();
      choose = setStatus;
      return <p>{status}</p>;
    }
    const view = mount(alice, <Status />);
    expect(view.text()).toBe("online");
    act(() => choose("dnd"));
    expect(view.text()).toBe("dnd");
    await until("bob sees it", () => bob.lobby.get("alice")?.status === "dnd");
    act(() => choose(null));
    expect(view.text()).toBe("online");
  });

  it("say so when there is no provider above", () => {
    const Lost = (): JSX.Element => <p>{String(usePresence())}</p>;
    expect(() => renderToString(<Lost />)).toThrow("PresenceProvider");
  });
});

describe("useRoom", () => {
  it("is in the room while mounted, and announces its metadata as it changes", async () => {
    const { url } = await startRelay();
    const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
    const seen = bob.join("plans").roster;
    function Editor({ line }: { readonly line: number }): JSX.Element {
      const room = useRoom("plans", { meta: { line } });
      const others = useOthers(room);
      const self = useSelf(room, (user) => user?.name);
      return <p>{`${room?.name} ${self} ${names(others)}`}</p>;
    }
    const tree = (line: number): JSX.Element => (
      <PresenceProvider presence={alice}>
        <Editor line={line} />
      </PresenceProvider>
    );
    const view = render(tree(1));
    await untilRendered("both", () => view.container.textContent === "plans Alice Bob");
    await until("line 1", () => seen.get("alice")?.meta["line"] === 1);
    view.rerender(tree(2));
    await until("line 2", () => seen.get("alice")?.meta["line"] === 2);
    view.unmount();
    await until("alice left", () => seen.get("alice") === undefined);
    expect(alice.lobby.self?.rooms).toEqual([]);
  });

  it("goes from room to room", async () => {
    const { url, relay } = await startRelay();
    const alice = ownClient(url, "alice");
    const seen: (string | undefined)[] = [];
    function Editor({ name }: { readonly name: string | null }): JSX.Element {
      const room = useRoom(name);
      seen.push(room?.name);
      return <p>{room?.name}</p>;
    }
    const tree = (name: string | null): JSX.Element => (
      <PresenceProvider presence={alice}>
        <Editor name={name} />
      </PresenceProvider>
    );
    const view = render(tree("one"));
    await untilRendered("one", () => relay.room("one")?.users.length === 1);
    seen.length = 0;
    view.rerender(tree("two"));
    expect(seen, "never the old room under the new name").not.toContain("one");
    await untilRendered("two", () => relay.room("two")?.users.length === 1 && relay.room("one") === undefined);
    view.rerender(tree(null));
    await untilRendered("none", () => relay.rooms().length === 0);
  });

  it("[REACT-2] joins once in the eyes of others under StrictMode", async () => {
    const { url, relay } = await startRelay();
    const events: string[] = [];
    relay.on("event", (event) => events.push(`${event.type} ${event.roomId}`));
    const alice = ownClient(url, "alice");
    const Editor = (): JSX.Element => <p>{names(useUsers(useRoom("plans")))}</p>;
    const view = mount(
      alice,
      <StrictMode>
        <Editor />
      </StrictMode>,
    );
    await untilRendered("alice", () => view.text() === "Alice");
    await until("the relay knows", () => events.includes("join plans"));
    await pause(100);
    expect(events.filter((event) => event.endsWith("plans"))).toEqual(["join plans"]);
    view.unmount();
    await until("left", () => events.includes("leave plans"));
    expect(events.filter((event) => event.endsWith("plans"))).toEqual(["join plans", "leave plans"]);
  });
});

describe("useRoom with another document", () => {
  it("leaves the room as it was and joins it anew, also when a key changes", async () => {
    const { url, relay } = await startRelay();
    const alice = ownClient(url, "alice");
    let room: Room | null = null;
    function Editor({ doc }: { readonly doc: Y.Doc }): JSX.Element {
      room = useRoom("plans", { doc });
      return <p>{room === null ? "none" : room.doc.guid}</p>;
    }
    const [first, second, third] = [new Y.Doc(), new Y.Doc(), new Y.Doc()];
    const page = (doc: Y.Doc, key: string): JSX.Element => (
      <PresenceProvider presence={alice}>
        <Editor key={key} doc={doc} />
      </PresenceProvider>
    );
    const view = render(page(first, "a"));
    for (const [doc, key] of [
      [first, "a"],
      [second, "a"],
      [third, "b"],
    ] as const) {
      view.rerender(page(doc, key));
      await untilRendered("that document", () => view.container.textContent === doc.guid);
      await until("she is in", () => relay.room("plans")?.users.length === 1);
    }
    view.unmount();
    await until("she left", () => relay.room("plans") === undefined);
  });
});

describe("rendering", () => {
  it("[REACT-1] renders a component again only when what it selected changed", async () => {
    const { url } = await startRelay();
    const alice = ownClient(url, "alice");
    const others = ["bob", "carol", "dave"].map((id) => ownClient(url, id));
    const counts = { users: 0, names: 0, first: 0, lobby: 0, self: 0 };
    let room: Room | null = null;

    function Users(): JSX.Element {
      counts.users++;
      return <p>{useUsers(room).length}</p>;
    }
    function Names(): JSX.Element {
      counts.names++;
      // a new array at each call, of the same members
      return <p>{useOthers(room, (users) => users.map((user) => user.name)).join(",")}</p>;
    }
    function First(): JSX.Element {
      counts.first++;
      return <p>{useUsers(room, (users) => users.find((user) => user.id === "bob")?.meta["line"] as number)}</p>;
    }
    function Self(): JSX.Element {
      counts.self++;
      return <p>{useSelf(room)?.name}</p>;
    }
    function Count(): JSX.Element {
      counts.lobby++;
      return <p>{useLobby((lobby) => lobby.users.length)}</p>;
    }
    function Page(): JSX.Element {
      room = useRoom("plans");
      return (
        <>
          <Users />
          <Names />
          <First />
          <Self />
          <Count />
        </>
      );
    }
    const view = mount(alice, <Page />);
    const rooms = others.map((other) => other.join("plans", { meta: { line: 0 } }));
    await untilRendered("everyone", () => view.text() === "4Bob,Carol,Dave0Alice4");
    await act(() => pause(150)); // what is still on its way: the lobby writes who is in which room
    const settled = { ...counts };

    // cursors move, at the top level of the state as editors have them
    const states = (): unknown[] => [...room!.awareness.states.values()].map((state) => state["cursor"]);
    for (let x = 1; x <= 20; x++) {
      for (const other of rooms) other.awareness.setLocalStateField("cursor", { x });
      await act(() => until(`cursors at ${x}`, () => states().filter((cursor) => cursorAt(cursor) === x).length === 3));
    }
    expect(counts).toEqual(settled);

    // bob's metadata changes: the component that selected it renders, once, and so do those that selected all of every user
    rooms[0]!.setMeta({ line: 7 });
    await untilRendered("line 7", () => view.text() === "4Bob,Carol,Dave7Alice4");
    expect(counts).toEqual({ ...settled, users: settled.users + 1, first: settled.first + 1 });
  });

  it("[REACT-2] renders on the server, where nobody is known yet", () => {
    function Page(): JSX.Element {
      const room = useRoom("plans");
      const [status] = useStatus();
      return (
        <p>
          {`${useLobby().status} ${useLobby((lobby) => lobby.rooms.length)} ${useUsers(room).length} ` +
            `${useOthers().length} ${String(useSelf(room))} ${status} ${String(usePresence())}`}
        </p>
      );
    }
    const html = renderToString(
      <PresenceProvider presence={null}>
        <Page />
      </PresenceProvider>,
    );
    expect(html).toBe("<p>connecting 0 0 0 null online null</p>");
  });

  it("stops listening when it unmounts", async () => {
    const { url } = await startRelay();
    const alice = ownClient(url, "alice");
    const bob = ownClient(url, "bob");
    let renders = 0;
    function Lobby(): JSX.Element {
      renders++;
      return <p>{useLobby().users.length}</p>;
    }
    const view = mount(alice, <Lobby />);
    await untilRendered("both", () => view.text() === "2");
    view.unmount();
    const before = renders;
    bob.setStatus("busy");
    await until("seen by the client", () => alice.lobby.get("bob")?.status === "busy");
    expect(renders).toBe(before);
    onTestFinished(() => alice.destroy());
  });
});

function cursorAt(cursor: unknown): unknown {
  return (cursor as { readonly x: number } | undefined)?.x;
}
