/** A tab of an application on Hocuspocus: `?server=ws://…&name=bob&client=own` or `client=plain`. */
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import * as Y from "yjs";
import { createHocuspocusPresence } from "../../../../src/hocuspocus/client/index.ts";

declare global {
  interface Window {
    /** Who is in the document, as this page shows it. */
    people: () => string[];
    doc: Y.Doc;
    /** Whether the page was last loaded, or taken out of the back/forward cache. */
    came: "loaded" | "restored";
  }
}

const query = new URLSearchParams(location.search);
const name = query.get("name") ?? "";
const user = { id: name, name };
const url = query.get("server") ?? "";
const socket = new HocuspocusProviderWebsocket({ url, delay: 100, minDelay: 100, maxDelay: 500 });
const doc = new Y.Doc();
const common = { websocketProvider: socket, name: "doc", document: doc, token: user.id };
window.doc = doc;
window.came = "loaded";
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) window.came = "restored";
});

if (query.get("client") === "own") {
  new HocuspocusProvider({ ...common, awareness: null }).attach();
  const { roster } = createHocuspocusPresence(socket, { user, token: user.id }).join("doc", { doc });
  window.people = () => roster.users.map(({ id }) => id).toSorted();
} else {
  const provider = new HocuspocusProvider(common);
  provider.setAwarenessField("user", user);
  provider.attach();
  // the provider takes its state away when the page is left, and leaves it to the application to say it anew
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) provider.awareness?.setLocalState({ user });
  });
  const states = (): Record<string, { readonly id?: string } | undefined>[] => [
    ...(provider.awareness?.getStates().values() ?? []),
  ];
  window.people = () =>
    states()
      .flatMap(({ user: each }) => each?.id ?? [])
      .toSorted();
}
