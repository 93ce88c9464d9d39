import type { AttributeValue } from "./identity.ts";

/** An attribute's name stands in SQL and CEL as `identity.<name>`, and SQL folds upper case: hence lower case only. */
export function isAttributeName(name: string): boolean {
  return /^[a-z][a-z0-9_]{0,62}$/.test(name) && !takenNames.has(name);
}

/** What `identity` in rules and conditions holds already. */
export const takenNames: ReadonlySet<string> = new Set(["name", "method", "mfa", "age"]);

export const attributeNameExpected =
  "a lower-case letter, then lower-case letters, digits and _, but not name, method, mfa or age, which every identity has";

export const attributeValueExpected = "text, a number, true or false, or a list of these";

/**
 * A value of a file or a claim as an attribute; undefined if it cannot be one. Refused are null and objects, NUL
 * (which the server cannot hold) and whole numbers beyond 2^53: they have lost digits by the time they arrive here,
 * so that `tenant: 9007199254740993` would become the neighbouring tenant.
 */
export function attributeValue(value: unknown): Exclude<AttributeValue, null> | undefined {
  if (!Array.isArray(value)) return scalar(value);
  const elements: (string | number | boolean)[] = [];
  for (const element of value) {
    const one = scalar(element);
    if (one === undefined) return undefined;
    elements.push(one);
  }
  return elements;
}

function scalar(value: unknown): string | number | boolean | undefined {
  switch (typeof value) {
    case "string":
      return value.includes("\0") || !value.isWellFormed() ? undefined : value;
    case "number":
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
        ? value
        : undefined;
    case "boolean":
      return value;
    default:
      return undefined;
  }
}
