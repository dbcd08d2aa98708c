import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Door } from "./Door.tsx";
import { session } from "./session.ts";
import "./styles/tokens.css";
import "./styles/layout.css";
import "./styles/people.css";
import "./styles/page.css";
import "./styles/sign-in.css";
import "./styles/forced.css";

const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");

await session.resume();
createRoot(root).render(
  <StrictMode>
    <Door />
  </StrictMode>,
);
