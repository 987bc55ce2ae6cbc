import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // `npm run dev` beside `make run`: the page changes as it is written, and the API answers from there.
  server: { proxy: Object.fromEntries(["/api", "/dev"].map((path) => [path, "http://localhost:3000"])) },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
