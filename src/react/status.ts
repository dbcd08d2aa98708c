import { useCallback, useMemo } from "react";
import type { AutoStatus, ManualStatus, OwnStatus } from "../client/index.ts";
import { usePresence } from "./provider.tsx";
import { useSelected } from "./select.ts";

const UNKNOWN: OwnStatus = { auto: "online", manual: null };

/**
 * The own status, and how to choose one: `setStatus("dnd")`, and `setStatus(null)` to go back to `online` and `away` by
 * activity.
 */
export function useStatus(): readonly [
  status: AutoStatus | ManualStatus,
  setStatus: (status: ManualStatus | null) => void,
] {
  const presence = usePresence();
  const store = useMemo(
    () =>
      presence && {
        subscribe: (listener: () => void) => presence.subscribe(listener),
        getSnapshot: () => presence.status,
      },
    [presence],
  );
  const status = useSelected(store, UNKNOWN, effective);
  const setStatus = useCallback((next: ManualStatus | null) => presence?.setStatus(next), [presence]);
  return [status, setStatus];
}

function effective({ manual, auto }: OwnStatus): AutoStatus | ManualStatus {
  return manual ?? auto;
}
