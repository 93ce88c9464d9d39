import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { jsonSchemas } from "../../../src/config/json-schema.ts";

const schemas = Object.entries(jsonSchemas).map(([name, schema]) => [name, schema()] as const);

/** Every setting in a JSON Schema, by its name with dots. */
function settings(schema: unknown, name = ""): { name: string; described: boolean }[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties, ...rest } = schema as Record<string, unknown>;
  const own = Object.entries((properties ?? {}) as Record<string, object>).flatMap(([key, value]) => [
    { name: `${name}.${key}`, described: "description" in value },
    ...settings(value, `${name}.${key}`),
  ]);
  return [...own, ...Object.values(rest).flatMap((part) => settings(part, name))];
}

describe.each(schemas)("schemas/%s", (name, schema) => {
  test("is what `rolegate schema --write schemas` writes", () => {
    expect(readFileSync(new URL(`../../../schemas/${name}`, import.meta.url), "utf8")).toBe(schema);
  });

  test("describes every setting", () => {
    const found = settings(JSON.parse(schema));
    expect(found.length).toBeGreaterThan(10);
    expect(found.filter((setting) => !setting.described).map((setting) => setting.name)).toEqual([]);
  });

  test("knows the defaults", () => {
    const defaults = [...schema.matchAll(/"default": (.*?),?$/gm)].map(([, value]) => value);
    expect(defaults).toEqual(
      name === "role.schema.json"
        ? ["false", ...Array(3).fill('"all"'), ...Array(3).fill("false"), ...Array(2).fill('"shown"')]
        : expect.arrayContaining(['"127.0.0.1:6432"', '"roles/"', '"5s"']),
    );
  });
});
