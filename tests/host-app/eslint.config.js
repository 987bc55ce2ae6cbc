// The package's own rules. The package's source stands for what a host installs, so that the lint needs no installation.
import rules from "../../frontend/eslint.config.js";

export default [
  ...rules,
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: {
      parserOptions: {
        projectService: false,
        project: "tsconfig.lint.json",
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
];
