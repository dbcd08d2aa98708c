import { onScopeDispose, shallowRef } from "vue";

/** The snapshot of a roster or of the lobby as a ref, for as long as the component is mounted. */
export function useSnapshot(store) {
  const snapshot = shallowRef(store.getSnapshot());
  onScopeDispose(
    store.subscribe(() => {
      snapshot.value = store.getSnapshot();
    }),
  );
  return snapshot;
}
