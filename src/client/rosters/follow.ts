/** What a roster hears from the provider of its place: how the connection to the relay fares. */
import type { Provider } from "../provider/provider.ts";
import type { RosterStore } from "./roster.ts";

/** The roster is stale while the provider is not connected, and tells what is wrong, for now or for good. [ROSTER-5] */
export function followRelay<Meta>(roster: RosterStore<Meta>, provider: Provider): void {
  // [BUS-20] what is shown of people on other relays may be old: nobody is said to have left because of that
  provider.on("control", (control) => {
    if (control.kind !== "world") return;
    roster.isPartial = control.partial;
    if (roster.status === (control.partial ? "live" : "stale")) roster.flush("live");
  });
  provider.on("status", ({ status }) => {
    // the relay that is connected next says how it fares itself
    if (status === "disconnected") roster.isPartial = false;
    if (status === "disconnected" && roster.synced) roster.flush("stale");
    // told to try again
    if (status !== "connecting" || roster.ownRefusal === null) return;
    roster.ownRefusal = null;
    roster.flush(roster.synced ? "stale" : "connecting");
  });
  provider.on("problem", (error) => roster.tell("error", error));
  // [CLIENT-10] a final refusal stays in the snapshot until somebody connects again
  provider.on("closed", (refusal) => {
    console.error(`copresence: the relay refused ${roster.roomId} for good, ${refusal.code}: ${refusal.reason}`);
    roster.ownRefusal = refusal;
    roster.flush("refused");
    roster.tell("refused", refusal);
  });
}
