import { createSubscriber } from "svelte/reactivity";

/** The snapshot of a roster or of the lobby: whatever reads `current` is updated when the snapshot changes. */
export function snapshotOf(store) {
  const track = createSubscriber((update) => store.subscribe(update));
  return {
    get current() {
      track();
      return store.getSnapshot();
    },
  };
}
