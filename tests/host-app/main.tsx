import "./host.css";

import { lazy, StrictMode, Suspense, useState } from "react";
import { createRoot } from "react-dom/client";

const CalendarPage = lazy(() => import("./CalendarPage"));

function Host() {
  const [opened, setOpened] = useState(new URLSearchParams(location.search).has("calendar"));
  return (
    <>
      <section className="row">
        <p>A page of the host's own.</p>
        <button type="button" className="primary" onClick={() => setOpened(true)}>
          My calendar
        </button>
      </section>
      {opened && (
        <Suspense>
          <CalendarPage />
        </Suspense>
      )}
    </>
  );
}

const root = document.querySelector("#root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <Host />
  </StrictMode>,
);
