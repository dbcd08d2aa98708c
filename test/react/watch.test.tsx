// @vitest-environment happy-dom
import { act, cleanup, render } from "@testing-library/react";
import { type JSX, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, describe, expect, it } from "vitest";
import type { PresenceOptions } from "../../src/client/index.ts";
import { PresenceProvider, useCount, useUser, useUserIds, useUsers, useWatch } from "../../src/react/index.ts";
import { ownClient, startRelay, until } from "../support.ts";

// React asks for this to know that updates are awaited
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
afterEach(cleanup);

/** Lets React take in what the network brings until the condition holds. */
async function untilRendered(what: string, condition: () => boolean): Promise<void> {
  await act(() => until(what, condition));
}

async function start(options: Partial<PresenceOptions> = {}) {
  const { url } = await startRelay({ tick: 0, lobbyTick: 0, leaveGrace: 50 });
  return { url, alice: ownClient(url, "alice", options) };
}

describe("hooks for long lists", () => {
  it("[REACT-7] render the list when somebody comes or goes, and a row when its user changes", async () => {
    const { url, alice } = await start();
    const renders: Record<string, number> = {};
    const count = (what: string): void => void (renders[what] = (renders[what] ?? 0) + 1);
    function Row({ id }: { readonly id: string }): JSX.Element {
      const user = useUser(id);
      count(id);
      return <li>{`${user?.name} ${user?.status}`}</li>;
    }
    function List(): JSX.Element {
      const ids = useUserIds();
      count("list");
      return (
        <ul>
          {ids.map((id) => (
            <Row key={id} id={id} />
          ))}
        </ul>
      );
    }
    const view = render(
      <PresenceProvider presence={alice}>
        <List />
      </PresenceProvider>,
    );
    const text = (): string => view.container.textContent ?? "";
    const [bob, carol] = [ownClient(url, "bob"), ownClient(url, "carol")];
    await untilRendered("all are listed", () => text() === "Alice onlineBob onlineCarol online");
    const before = { ...renders };
    bob.setStatus("busy");
    await untilRendered("Bob is busy", () => text() === "Alice onlineBob busyCarol online");
    expect([renders["list"], renders["carol"]]).toEqual([before["list"], before["carol"]]);
    carol.destroy();
    await untilRendered("Carol left", () => text() === "Alice onlineBob busy");
    expect(renders["list"]).toBe((before["list"] ?? 0) + 1);
  });

  it("[REACT-7] count people, also where only numbers are read", async () => {
    const { url, alice } = await start({ observeLobby: "counts" });
    const Count = (): JSX.Element => <p>{useCount()}</p>;
    const view = render(
      <PresenceProvider presence={alice}>
        <Count />
      </PresenceProvider>,
    );
    ownClient(url, "bob");
    await untilRendered("both count", () => view.container.textContent === "2");
  });
});

describe("useWatch", () => {
  function Contacts({ ids }: { readonly ids: readonly string[] }): JSX.Element {
    const users = useUsers(useWatch(ids));
    return <p>{users.map(({ name }) => name).join()}</p>;
  }

  it("[REACT-7] watches people while the component is mounted, also under StrictMode, and others when they change", async () => {
    const { url, alice } = await start({ observeLobby: false });
    for (const id of ["bob", "carol"]) ownClient(url, id);
    const page = (ids: readonly string[]): JSX.Element => (
      <StrictMode>
        <PresenceProvider presence={alice}>
          <Contacts ids={ids} />
        </PresenceProvider>
      </StrictMode>
    );
    const view = render(page(["bob"]));
    await untilRendered("Bob is shown", () => view.container.textContent === "Bob");
    view.rerender(page(["bob", "carol"]));
    await untilRendered("both are shown", () => view.container.textContent === "Bob,Carol");
    view.rerender(page(["carol"]));
    await untilRendered("Carol is shown", () => view.container.textContent === "Carol");
    view.unmount();
    await until("nobody is known any more", () => alice.lobby.users.length === 1);
  });

  it("[REACT-2] knows nobody on a server", () => {
    const page = (
      <PresenceProvider presence={null}>
        <Contacts ids={["bob"]} />
      </PresenceProvider>
    );
    expect(renderToString(page)).toBe("<p></p>");
  });
});
