import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { css } from "./styles.config.ts";

// The package. (The demo page has a configuration of its own.)
export default defineConfig({
  plugins: [react()],
  css,
  build: {
    // The host's own build rewrites for the browsers that it is for.
    cssTarget: "esnext",
    lib: { entry: "src/index.ts", formats: ["es"], fileName: "index", cssFileName: "style" },
    license: { fileName: "THIRD-PARTY-LICENSES.md" },
    rolldownOptions: { external: /^react(-dom)?(\/|$)/ },
  },
  test: {
    environment: "jsdom",
    // Where the viewer is.
    env: { TZ: "UTC" },
    include: ["src/**/*.test.{ts,tsx}", "api-page/*.test.js"],
    restoreMocks: true,
  },
});
