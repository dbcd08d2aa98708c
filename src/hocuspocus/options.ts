/** What an application tells the extension, and what the extension gives it. */
import type { Extension } from "@hocuspocus/server";
import type { HubOptions, Identity, PresenceHub } from "../hub/index.ts";

/**
 * How the extension is made: all options of `createHub` that are not about documents (among them `bus`, which joins several
 * servers [HOC-12] [HOC-14]), and who somebody is.
 */
export interface HocuspocusOptions<Context> extends Omit<HubOptions, "documents" | "store" | "closeCodes"> {
  /**
   * Says who a connection is, from the context that your `onAuthenticate` has returned: others see its states as this
   * user's, whatever they claim. null: nobody was asked, and what the states claim holds.
   *
   * @param documentName what is opened: a document, or a lobby (`@lobby`, `@lobby/acme`)
   * @throws what it throws is reported, and the connection has no presence there
   */
  readonly identify: (context: Context, documentName: string) => Identity | null;
  /**
   * The address that a client comes from, as limits count addresses. Default: each socket counts by itself, so that the
   * limits of addresses hold nobody back.
   */
  readonly addressOf?: (request: Request) => string;
}

/** The extension: an entry of `extensions` of a Hocuspocus server. */
export interface HocuspocusPresence extends Extension {
  /** Who is here, in rooms and lobbies; events; metrics. The rooms are the documents. */
  readonly hub: PresenceHub;
}
