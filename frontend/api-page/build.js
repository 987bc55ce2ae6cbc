// Writes the page of the API beside the demo page, which the one-machine stack serves: `npm run api-page`.
import { mkdir, readFile, writeFile } from "node:fs/promises";

import { parse } from "yaml";

import { pageOf } from "./page.js";

const at = (file) => new URL(file, import.meta.url);
const document = parse(await readFile(at("../../openapi.yaml"), "utf8"));
const folder = at("../demo/dist/assets/");
await mkdir(folder, { recursive: true });
await writeFile(new URL("api.html", folder), pageOf(document, await readFile(at("style.css"), "utf8")));
