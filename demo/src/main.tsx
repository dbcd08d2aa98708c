import { PresenceProvider } from "copresence/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { presence } from "./presence.ts";
import "./styles/tokens.css";
import "./styles/layout.css";
import "./styles/people.css";
import "./styles/page.css";

const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <PresenceProvider presence={presence}>
      <App />
    </PresenceProvider>
  </StrictMode>,
);
