import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Page } from "./Page";
import "./style.css";

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
