import { defineConfig } from "rolldown";
import { dts } from "rolldown-plugin-dts";

// The package's type declarations: one file, in which nothing of the libraries inside is named.
export default defineConfig({
  input: "src/index.ts",
  plugins: [dts({ emitDtsOnly: true })],
  external: /^react/,
  output: { dir: "dist" },
});
