import "./styles.css";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Scheduling } from "./pages/Scheduling";
import { LanguageProvider, languageOf } from "./words/language";

// Requests are sent although the browser reports to be offline; the page shows an error if one fails.
const networkMode = "always";
const queries = new QueryClient({
  defaultOptions: { queries: { retry: 1, networkMode }, mutations: { networkMode } },
});

const language = await languageOf(navigator.languages);
document.documentElement.lang = language.tag;

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <LanguageProvider value={language}>
        <Scheduling />
      </LanguageProvider>
    </QueryClientProvider>
  </StrictMode>,
);
