import type { Room } from "copresence";
import { useLobby } from "copresence/react";
import { useRosterStatus } from "./useRosterStatus.ts";

/** Says so while what is shown may be out of date. */
export function Banner({ room }: { room: Room | null }) {
  const lobby = useLobby(({ status }) => status);
  const here = useRosterStatus(room);
  const stale = lobby === "stale" || here === "stale";
  const connecting = !stale && (lobby === "connecting" || here === "connecting");
  return (
    <div className="banners" role="status">
      {stale && <p className="banner">Reconnecting — this may be out of date</p>}
      {connecting && <p className="banner banner-slow">Connecting…</p>}
    </div>
  );
}
