import { PresenceProvider } from "copresence/react";
import { useSyncExternalStore } from "react";
import { App } from "./App.tsx";
import { session } from "./session.ts";
import { SignIn } from "./SignIn.tsx";

/** The application for those who are in, the sign-in for the others. */
export function Door() {
  const { visit } = useSyncExternalStore(session.subscribe, session.get);
  if (visit === null) return <SignIn />;
  return (
    <PresenceProvider presence={visit.presence}>
      <App />
    </PresenceProvider>
  );
}
