import { expect, test } from "vitest";

import { fieldsOf, typeOf } from "./schema.js";

test.each([
  [{ type: "string", format: "uuid" }, "string (uuid)"],
  [{ type: ["string", "null"] }, "string or null"],
  [{ $ref: "#/components/schemas/Id" }, '<a href="#schema-Id">Id</a>'],
  [{ enum: ["a", null] }, "<code>&quot;a&quot;</code> | <code>null</code>"],
  [{ type: "array", items: { $ref: "#/a/B" } }, 'array of <a href="#schema-B">B</a>'],
  [{ anyOf: [{ type: "integer" }, { type: "null" }] }, "integer or null"],
])("the type of %j in words", (schema, words) => expect(typeOf(schema)).toBe(words));

test("fields in fields are shown, with those of the schemas that a schema is made of", () => {
  const data = { type: "object", required: ["id"], properties: { id: { type: "string" } } };
  const shown = fieldsOf({ allOf: [{ $ref: "#/a/Success" }, { properties: { data } }] });
  expect(shown).toMatch(/data.*<ul.*id<\/code> <span class="needed">required/);
});

test("of one of several schemas the fields of each are shown", () => {
  const named = (name) => ({ type: "object", properties: { [name]: { type: "string" } } });
  const choice = { oneOf: [named("code"), named("setting")] };
  expect(typeOf(choice)).toBe("object");
  expect(fieldsOf(choice)).toMatch(/code<.*<p>or<\/p>.*setting</);
});

test("what the page cannot show stops the build", () => {
  expect(() => typeOf({ type: "integer", multipleOf: 5 })).toThrow("multipleOf");
});
