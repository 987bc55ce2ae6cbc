import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { css } from "../styles.config.ts";

const sourceOf = (file: string) => new URL(`../src/${file}`, import.meta.url).pathname;

// The demo page: it imports the package by its name, as a host does, and gets its source.
export default defineConfig({
  plugins: [react()],
  css,
  build: {
    // Browsers that lack it load the calendar a moment later.
    modulePreload: { polyfill: false },
    // No library here does anything when a property of it is read.
    rolldownOptions: { treeshake: { propertyReadSideEffects: false, unknownGlobalSideEffects: false } },
  },
  resolve: {
    alias: {
      "@calendar-sync/react/style.css": sourceOf("styles/index.css"),
      "@calendar-sync/react": sourceOf("index.ts"),
    },
  },
  // `npm run dev` beside `make run`: the page changes as it is written, and the API answers from there.
  server: { proxy: Object.fromEntries(["/api", "/dev"].map((path) => [path, "http://localhost:3000"])) },
});
