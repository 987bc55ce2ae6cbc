// What a schema of openapi.yaml says, as HTML: its type in a few words, and a row for each of its fields.
import { marked } from "marked";

const ESCAPED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const escape = (text) => String(text).replace(/[&<>"]/g, (sign) => ESCAPED[sign]);
export const code = (text) => `<code>${escape(text)}</code>`;
export const markdown = (text = "") => marked.parse(text, { async: false });

/** A list of what is there, in words. */
const listed = (parts, separator = ", ") => parts.filter(Boolean).join(separator);

/** Keywords that are shown; with those that say only that there are no other fields. Any other stops the build, so that the
 * page leaves nothing out. */
const KEYWORDS = new Set([
  ...["$ref", "type", "enum", "const", "format", "pattern", "default", "example", "examples", "description"],
  ...["minimum", "maximum", "minLength", "maxLength", "maxItems", "items", "required", "properties"],
  ...[
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "dependentRequired",
    "additionalProperties",
    "unevaluatedProperties",
  ],
]);

function known(schema) {
  const unknown = Object.keys(schema).filter((keyword) => !KEYWORDS.has(keyword));
  if (unknown.length > 0) throw new Error(`the page cannot show ${unknown.join(", ")}`);
  return schema;
}

const named = (ref) => {
  const name = ref.slice(ref.lastIndexOf("/") + 1);
  return `<a href="#schema-${name}">${name}</a>`;
};

/** A type in a few words: `text (uuid)`, `array of ExternalEvent, at most 100`. */
export function typeOf(schema) {
  const { $ref, anyOf, oneOf, allOf, type, items, format } = known(schema);
  if ($ref) return named($ref);
  if (schema.enum) return schema.enum.map((value) => code(JSON.stringify(value))).join(" | ");
  if ("const" in schema) return code(JSON.stringify(schema.const));
  if (anyOf ?? oneOf) return [...new Set((anyOf ?? oneOf).map(typeOf))].join(" or ");
  if (allOf) return listed(allOf.filter((part) => part.$ref).map(typeOf), " and ") || "object";
  const types = [type ?? "any"].flat().map((one) => (one === "array" ? `array of ${typeOf(items)}` : one));
  return types.join(" or ") + (format ? ` (${format})` : "");
}

/** What bounds a value, and what it is without one. */
export function boundsOf({ minimum, maximum, minLength, maxLength, maxItems, pattern, ...rest }) {
  const between = (from, to, unit) => {
    if (from === undefined && to === undefined) return "";
    if (from === to) return `exactly ${from}${unit}`;
    if (to === undefined) return `at least ${from}${unit}`;
    return from === undefined ? `at most ${to}${unit}` : `${from} to ${to}${unit}`;
  };
  return listed([
    between(minimum, maximum, ""),
    between(minLength, maxLength, " characters"),
    between(undefined, maxItems, " items"),
    pattern && `matches ${code(pattern)}`,
    "default" in rest && `${code(JSON.stringify(rest.default))} if absent`,
    rest.examples && `such as ${rest.examples.map(code).join(", ")}`,
  ]);
}

/** A field, a parameter or a header: its name, its type, and what it means. */
export function row(name, schema, { required, place = "", description = schema.description } = {}) {
  const facts = listed([typeOf(schema), place, boundsOf(schema)]);
  const needed = required ? ' <span class="needed">required</span>' : "";
  const below = fieldsOf(schema.type === "array" ? schema.items : schema);
  return `<li><p>${code(name)}${needed} <span class="type">${facts}</span></p>${markdown(description)}${below}</li>`;
}

/** The fields of a schema, and of the schemas that it is made of. One with a name of its own is linked to instead. */
export function fieldsOf(schema) {
  const { $ref, properties = {}, required = [], allOf = [], oneOf = [] } = known(schema);
  if ($ref) return "";
  const rows = Object.entries(properties).map(([name, one]) =>
    row(name, one, { required: required.includes(name) }),
  );
  const also = allOf.map(fieldsOf).join("") + listed(oneOf.map(fieldsOf), "<p>or</p>");
  return (rows.length > 0 ? `<ul class="fields">${rows.join("")}</ul>` : "") + also + conditionsOf(schema);
}

/** What holds of fields together. */
function conditionsOf({ if: condition, then, dependentRequired = {} }) {
  const together = Object.entries(dependentRequired).map(
    ([name, needs]) => `<p>${code(name)} comes with ${needs.map(code).join(", ")}.</p>`,
  );
  const [[field, value]] = Object.entries(condition?.properties ?? { none: {} });
  const more = then && `<p>Where ${code(field)} is ${typeOf(value)}, with the fields of ${typeOf(then)}.</p>`;
  return listed([...together, more], "");
}

/** A body as a whole: what it is made of, and its fields. */
export function bodyOf(schema) {
  const madeOf =
    schema.$ref || schema.anyOf || schema.oneOf || schema.allOf
      ? `<p class="type">${typeOf(schema)}</p>`
      : "";
  return madeOf + fieldsOf(schema);
}
