import { message } from "../wire/writer.ts";

/** SQLSTATE and words of PostgreSQL's own errors for a name that it does not know. */
const errors = {
  statement: { state: "26000", text: (name: string) => `prepared statement "${name}" does not exist` },
  portal: { state: "34000", text: (name: string) => `portal "${name}" does not exist` },
  unnamed: { state: "26000", text: () => "unnamed prepared statement does not exist" },
} as const;

/** The ErrorResponse for a statement or portal that is not known here. `name` is in byte form. */
export function missingName(what: "statement" | "portal", name: string): Buffer {
  const { state, text } = errors[what === "statement" && name === "" ? "unnamed" : what];
  const told = text(Buffer.from(name, "latin1").toString("utf8"));
  return message("E", Buffer.from(`SERROR\0VERROR\0C${state}\0M${told}\0\0`, "utf8"));
}
