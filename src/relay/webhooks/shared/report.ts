/** What a relay tells the relay that sends webhooks for all of them. As JSON. */
import type { IdentifiedEvent } from "../../ports/event-sink.ts";

export type Report = { readonly relay: string } & (
  | { readonly type: "event"; readonly event: IdentifiedEvent }
  /** All who are here follow, as events by which they came, and then `end`: nobody else is here. */
  | { readonly type: "begin" | "end" }
  | { readonly type: "here"; readonly event: IdentifiedEvent }
  /** A room or lobby is not open here any more: the relay knows nothing of it. */
  | { readonly type: "closed"; readonly roomId: string }
  /** A document changed. `size`: in bytes, null: not known. */
  | { readonly type: "edited"; readonly roomId: string; readonly size: number | null }
);

/** Returns null for what this version does not know. */
export function readReport(text: string): Report | null {
  const report = JSON.parse(text) as Partial<Report>;
  if (typeof report.relay !== "string") return null;
  switch (report.type) {
    case "event":
    case "here":
    case "begin":
    case "end":
    case "closed":
    case "edited":
      return report as Report;
    default:
      return null;
  }
}
