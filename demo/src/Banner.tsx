import type { Room } from "copresence";
import { useEffect, useState } from "react";
import { type Connection, useConnection } from "./connection.ts";
import { hrefOf, seeds } from "./documents.ts";
import { type Advice, adviceOn } from "./refusal.ts";
import { session } from "./session.ts";

/** A connection that takes longer will hardly come about by itself. */
const LONG_MS = 8_000;

/** Says so while what is shown may be out of date, and why where that will not mend itself. */
export function Banner({ room }: { room: Room | null }) {
  const connection = useConnection(room);
  return (
    <div className="banners" role="status" data-testid="banner" data-state={connection.state}>
      <Message connection={connection} current={room?.name ?? ""} />
    </div>
  );
}

function Message({ connection, current }: { connection: Connection; current: string }) {
  switch (connection.state) {
    case "live":
      return null;
    case "stale":
      return <p className="banner">Reconnecting — this may be out of date</p>;
    case "connecting":
      return <Connecting />;
    case "refused": {
      const { why, what, action } = adviceOn(connection.refusal, connection.what, session.get().state === "in");
      return (
        <div className="banner banner-refused">
          <p>
            <b>{why}</b> {what}
          </p>
          <Action action={action} current={current} />
        </div>
      );
    }
  }
}

function Connecting() {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), LONG_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!long) return <p className="banner banner-slow">Connecting…</p>;
  return (
    <p className="banner">
      Still connecting. Is the relay running at <bdi>{session.get().visit?.url}</bdi>?
    </p>
  );
}

function Action({ action, current }: { action: Advice["action"]; current: string }) {
  switch (action) {
    case null:
      return null;
    case "reload":
      return <button onClick={() => location.reload()}>Reload</button>;
    case "sign-in":
      return <button onClick={() => void session.signOut()}>Sign in again</button>;
    case "other-document":
      return <a href={hrefOf(seeds.find((name) => name !== current) ?? seeds[0])}>Open another document</a>;
  }
}
