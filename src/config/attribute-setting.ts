import * as z from "zod";
import { custom } from "../document/mapping.ts";
import { attributeValue, attributeValueExpected } from "../identity/attributes.ts";

/** The value of an attribute, written in the file. */
export function attributeSetting() {
  const literal = z.union([z.string(), z.number(), z.boolean()], { error: attributeValueExpected });
  return z
    .union([literal, z.array(literal)], { error: attributeValueExpected })
    .transform((given, context) => {
      const attribute = attributeValue(given);
      if (attribute !== undefined) return attribute;
      context.addIssue(custom(attributeValueExpected, undefined, "wrong value"));
      return z.NEVER;
    });
}
