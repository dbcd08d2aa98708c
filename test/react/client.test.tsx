// @vitest-environment happy-dom
import { act, cleanup, render } from "@testing-library/react";
import { Activity, type JSX, StrictMode, useMemo } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { type Presence, type Refusal, type Room, type Roster, createPresence } from "../../src/client/index.ts";
import {
  PresenceProvider,
  useCanWrite,
  useConnectionStatus,
  usePresence,
  usePresenceClient,
  useRefusal,
  useRoom,
  useSelf,
} from "../../src/react/index.ts";
import { Emitter } from "../../src/presence/index.ts";
import { ownClient, pause, startRelay, until } from "../support.ts";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
afterEach(async () => {
  cleanup();
  // what a hook does at the end of the turn, while there is a window
  await pause(1);
});

async function untilRendered(what: string, condition: () => boolean): Promise<void> {
  await act(() => until(what, condition));
}

const quick = { tick: 0, lobbyTick: 0, leaveGrace: 50 };

/** An application that owns its client; `made` are all clients that it ever made. */
function application(url: string) {
  const made: Presence[] = [];
  onTestFinished(() => {
    for (const client of made) client.destroy();
  });
  function Me(): JSX.Element {
    const presence = usePresence();
    useRoom("plans");
    return <p>{`${presence?.user.id} ${useSelf()?.id}`}</p>;
  }
  function App({ user }: { readonly user: string | null }): JSX.Element {
    const create = (id: string): Presence => {
      const client = createPresence(url, { user: { id }, WebSocket });
      made.push(client);
      return client;
    };
    const presence = usePresenceClient(user === null ? null : () => create(user), [user]);
    return (
      <PresenceProvider presence={presence}>
        <Me />
      </PresenceProvider>
    );
  }
  return { App, made };
}

describe("usePresenceClient", () => {
  it("[REACT-5] makes one client under StrictMode, and destroys it when the component is gone", async () => {
    const { url, relay } = await startRelay(quick);
    const bob = ownClient(url, "bob");
    await until("Bob is live", () => bob.lobby.status === "live");
    const log: string[] = [];
    bob.lobby.on("event", ({ type, userId }) => userId === "alice" && type !== "update" && log.push(type));
    const { App, made } = application(url);
    const view = render(
      <StrictMode>
        <App user="alice" />
      </StrictMode>,
    );
    await untilRendered("Bob sees her in the room", () => bob.lobby.usersIn("plans").length === 1);
    await act(() => pause(20));
    expect([made.length, view.container.textContent]).toEqual([1, "alice alice"]);
    view.unmount();
    await until("she is gone", () => relay.user("alice")?.status === "offline");
    await until("Bob knows", () => log.includes("leave"));
    expect(log).toEqual(["join", "leave"]);
  });

  it("[REACT-5] makes another when somebody else signs in, and none when nobody is", async () => {
    const { url, relay } = await startRelay(quick);
    const { App, made } = application(url);
    const view = render(<App user="alice" />);
    await untilRendered("Alice", () => relay.user("alice") !== undefined);
    view.rerender(<App user="alice" />);
    expect(made).toHaveLength(1);
    view.rerender(<App user="carol" />);
    await untilRendered("Carol", () => relay.user("carol") !== undefined && relay.user("alice")?.status === "offline");
    expect([made.length, view.container.textContent]).toEqual([2, "carol carol"]);
    view.rerender(<App user={null} />);
    await untilRendered("nobody", () => relay.users().length === 0);
    expect([made.length, view.container.textContent]).toEqual([2, "undefined undefined"]);
  });

  it("[REACT-5] takes its client with it when it is remounted under another key", async () => {
    const { url, relay } = await startRelay(quick);
    const { App, made } = application(url);
    const view = render(<App key="1" user="alice" />);
    await untilRendered("Alice", () => relay.user("alice") !== undefined);
    view.rerender(<App key="2" user="alice" />);
    await untilRendered("the second is live", () => made[1]?.lobby.status === "live");
    await act(() => pause(100));
    expect([made.length, relay.user("alice")?.sessions.length]).toEqual([2, 1]);
  });
});

describe("usePresenceClient within an Activity", () => {
  it("[REACT-5] ends its client while it is hidden, and makes another when it is shown again", async () => {
    const { url, relay } = await startRelay(quick);
    const { App, made } = application(url);
    const tree = (mode: "visible" | "hidden"): JSX.Element => (
      <Activity mode={mode}>
        <App user="alice" />
      </Activity>
    );
    const view = render(tree("visible"));
    await untilRendered("Alice", () => relay.user("alice") !== undefined);
    view.rerender(tree("hidden"));
    await untilRendered("she is gone", () => relay.user("alice")?.status === "offline");
    view.rerender(tree("visible"));
    await untilRendered("she is back", () => relay.user("alice") !== undefined);
    expect(made).toHaveLength(2);
  });
});

describe("while a page is rendered on a server", () => {
  /** As on a server with Node 22 or newer: there is a global WebSocket and no page. */
  function server(): { readonly opened: string[] } {
    const opened: string[] = [];
    vi.stubGlobal("window", undefined);
    vi.stubGlobal("document", undefined);
    vi.stubGlobal(
      "WebSocket",
      class extends WebSocket {
        constructor(url: string, protocols?: string[]) {
          super(url, protocols);
          opened.push(url);
        }
      },
    );
    // its absence, not its value, is what tells
    Reflect.deleteProperty(globalThis, "window");
    onTestFinished(() => void vi.unstubAllGlobals());
    return { opened };
  }

  it("[REACT-4] a client made then puts nobody online, and leaves no timer", async () => {
    const { url, relay } = await startRelay(quick);
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const { opened } = server();
    const timers = vi.spyOn(globalThis, "setInterval");
    const cleared = vi.spyOn(globalThis, "clearInterval");
    function Page(): JSX.Element {
      const presence = useMemo(() => createPresence(url, { user: { id: "alice", name: "Alice" } }), []);
      const room = useMemo(() => presence.join("plans"), [presence]);
      return (
        <PresenceProvider presence={presence}>
          <Me room={room} />
        </PresenceProvider>
      );
    }
    const Me = ({ room }: { readonly room: Room }): JSX.Element => (
      <p>{`${useConnectionStatus(room)} ${useSelf()?.name}`}</p>
    );
    expect([renderToString(<Page />), renderToString(<Page />)]).toEqual(Array(2).fill("<p>connecting undefined</p>"));
    await pause(50);
    expect([opened, relay.users(), relay.metrics().connections]).toEqual([[], [], 0]);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatch(/does not connect/);
    const left = new Set(timers.mock.results.map(({ value }) => value as unknown));
    for (const [timer] of cleared.mock.calls) left.delete(timer);
    expect(left.size).toBe(0);
  });

  it("[REACT-4] `usePresenceClient` makes none", () => {
    const { opened } = server();
    const { App, made } = application("ws://127.0.0.1:1");
    expect(renderToString(<App user="alice" />)).toBe("<p>undefined undefined</p>");
    expect([made, opened]).toEqual([[], []]);
  });

  it("[REACT-4] a script that says so connects all the same, with the global WebSocket or its own", async () => {
    const { url, relay } = await startRelay(quick);
    const { opened } = server();
    const clients = [
      createPresence(url, { user: { id: "alice" }, connect: true }),
      createPresence(url, { user: { id: "bob" }, WebSocket }),
      createPresence(url, { user: { id: "carol" }, WebSocket, connect: false }),
    ];
    onTestFinished(() => {
      for (const client of clients) client.destroy();
    });
    await until("both are there", () => relay.users().length === 2);
    expect([opened.length, relay.user("carol")]).toEqual([1, undefined]);
  });
});

describe("what the relay allows", () => {
  it("[REACT-6] is known of the lobby and of each room: the connection's status, and why it was refused", async () => {
    const { url, relay } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const refused: Refusal = { code: 4403, reason: "not yours" };
    const listeners = new Emitter<{ change: null }>();
    const roster = alice.join("plans").roster;
    let snapshot = roster.getSnapshot();
    // a room's roster, refused by hand
    const source: Roster = Object.create(roster, {
      subscribe: { value: (listener: () => void) => listeners.on("change", listener) },
      getSnapshot: { value: () => snapshot },
    });
    const Says = (): JSX.Element => (
      <p>{`${useConnectionStatus()} ${useRefusal()?.code} ${useRefusal(source)?.code} ${useRefusal(null)?.code}`}</p>
    );
    const view = render(
      <PresenceProvider presence={alice}>
        <Says />
      </PresenceProvider>,
    );
    const text = (): string => view.container.textContent ?? "";
    await untilRendered("live", () => text() === "live undefined undefined undefined");
    snapshot = { ...snapshot, refusal: refused };
    act(() => listeners.emit("change", null));
    expect(text()).toBe("live undefined 4403 undefined");
    await act(() => relay.close());
    await untilRendered("stale", () => text().startsWith("stale"));
  });

  it("[REACT-6] a room in which one may only read is known as such", () => {
    const listeners = new Emitter<{ change: null }>();
    const room = { canWrite: true, subscribe: (listener: () => void) => listeners.on("change", listener) };
    const Says = (): JSX.Element => <p>{`${useCanWrite(room)} ${useCanWrite(null)}`}</p>;
    const view = render(<Says />);
    expect(view.container.textContent).toBe("true true");
    room.canWrite = false;
    act(() => listeners.emit("change", null));
    expect(view.container.textContent).toBe("false true");
    expect(renderToString(<Says />)).toBe("<p>true true</p>");
  });
});
