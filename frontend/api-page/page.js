// openapi.yaml as one page of HTML that needs nothing else: no script, no font, no other file.
import { bodyOf, boundsOf, code, escape, fieldsOf, markdown, row, typeOf } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Every operation of the document, in its order. */
export const operationsOf = ({ paths }) =>
  Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ ...item[method], method, path })),
  );

/** The page of `document`, which is openapi.yaml as it is read. */
export function pageOf(document, style) {
  const { info, servers, tags, security, components } = document;
  const resolved = (part) =>
    part.$ref
      ? part.$ref
          .slice(2)
          .split("/")
          .reduce((at, name) => at[name], document)
      : part;
  const operations = operationsOf(document);
  const sections = tags.map(({ name, description }) => {
    const its = operations.filter((one) => one.tags.includes(name));
    return `<h2>${escape(name)}</h2><p>${escape(description)}.</p>${its
      .map((one) => operation({ security, ...one }, resolved))
      .join("")}`;
  });
  const schemas = Object.entries(components.schemas);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)}: the API</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#top">To the text</a>
${navigation(tags, operations, schemas)}
<main id="top">
<h1>${escape(info.title)} <span class="version">${escape(info.version)}</span></h1>
${markdown(info.description)}
<h2>Addresses</h2>
<ul>${servers.map(({ url, description }) => `<li>${code(url)}: ${escape(description)}</li>`).join("")}</ul>
<h2>Callers</h2>
${Object.values(components.securitySchemes).map(caller).join("")}
${sections.join("")}
<h2>Schemas</h2>
${schemas.map(([name, schema]) => schemaOf(name, schema)).join("")}
</main>
</body>
</html>
`;
}

function navigation(tags, operations, schemas) {
  const groups = tags.map(({ name }) => {
    const its = operations.filter((one) => one.tags.includes(name));
    return `<h2>${escape(name)}</h2><ul>${its
      .map(
        ({ operationId, summary, method }) =>
          `<li><a href="#${operationId}">${badge(method)} ${escape(summary)}</a></li>`,
      )
      .join("")}</ul>`;
  });
  const links = schemas.map(([name]) => `<li>${typeOf({ $ref: name })}</li>`).join("");
  return `<nav aria-label="The API">${groups.join("")}<div class="schemas"><h2>Schemas</h2><ul>${links}</ul></div></nav>`;
}

const badge = (method) => `<span class="method ${method}">${method.toUpperCase()}</span>`;

const caller = ({ scheme, bearerFormat, description }) =>
  `<p>${code(`Authorization: ${scheme[0].toUpperCase()}${scheme.slice(1)} <${bearerFormat}>`)}</p>${markdown(description)}`;

function operation(of, resolved) {
  const { operationId, summary, description, method, path, parameters = [], requestBody, security } = of;
  const open = security.length === 0 ? '<p class="type">Without a token.</p>' : "";
  const asked = parameters.map(resolved).map((one) => {
    const { name, in: place, schema, required, description } = one;
    return row(name, schema, { required, place, description: description ?? schema.description });
  });
  const body = requestBody && contentOf(requestBody.content);
  return `<section id="${operationId}">
<h3>${escape(summary)}</h3>
<p class="address">${badge(method)} ${code(path)}</p>
${open}${markdown(description)}
${asked.length > 0 ? `<h4>Parameters</h4><ul class="fields">${asked.join("")}</ul>` : ""}
${body ? `<h4>Body</h4>${body}` : ""}
${answers(of.responses, resolved)}
</section>`;
}

/** What is answered; refusals in a fold of their own, since many are the same everywhere. */
function answers(responses, resolved) {
  const all = Object.entries(responses).map(([status, response]) => [status, resolved(response)]);
  const [good, refusals] = [all.filter(([status]) => status < "4"), all.filter(([status]) => status >= "4")];
  const shown = (some) => some.map(([status, response]) => answer(status, response, resolved)).join("");
  const statuses = refusals.map(([status]) => status).join(", ");
  return `<h4>Answers</h4>${shown(good)}<details><summary>Refusals: ${statuses}</summary>${shown(refusals)}</details>`;
}

function answer(status, { description, headers = {}, content }, resolved) {
  const rows = Object.entries(headers).map(([name, header]) => {
    const { schema, description } = resolved(header);
    return row(name, schema, { place: "header", description });
  });
  const list = rows.length > 0 ? `<ul class="fields">${rows.join("")}</ul>` : "";
  return `<div class="answer"><p class="status">${status}</p><div>${markdown(description)}${list}${content ? contentOf(content) : ""}</div></div>`;
}

const contentOf = (content) =>
  Object.values(content)
    .map(({ schema, example }) => bodyOf(schema) + exampleOf(example ?? schema.example))
    .join("");

const exampleOf = (example) =>
  example === undefined
    ? ""
    : `<details><summary>Example</summary><pre tabindex="0"><code>${escape(JSON.stringify(example, null, 2))}</code></pre></details>`;

const schemaOf = (name, schema) => `<section id="schema-${name}">
<h3>${name}</h3>
<p class="type">${[typeOf(schema), boundsOf(schema)].filter(Boolean).join(", ")}</p>
${markdown(schema.description)}${fieldsOf(schema)}
</section>`;
