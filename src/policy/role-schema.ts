import * as z from "zod";
import { duration } from "../document/duration.ts";
import { custom, mapping, text } from "../document/mapping.ts";
import { parseName } from "./relation-name.ts";

/** An SQL expression; whether it parses is judged later, together with what its names mean. */
function expression(description: string) {
  return z
    .string({ error: "an SQL expression, in quotes where YAML would read something else" })
    .regex(/^[^\0]*[^\0\s][^\0]*$/, { error: "an SQL expression" })
    .describe(description);
}

function name(expected: string, maxParts: 1 | 2) {
  return z.string({ error: expected }).transform((value, context) => {
    const parsed = parseName(value, maxParts);
    if (parsed.kind === "name") return parsed.parts;
    context.addIssue(custom(parsed.expected, undefined, "not a usable name"));
    return z.NEVER;
  });
}

const columnName = name("a column's name", 1).transform((parts) => parts.join("."));

const columns = z
  .union([z.literal("all"), z.array(columnName).nonempty({ error: "at least one column" })], {
    error: "all, or a list of columns",
  })
  .superRefine((value, context) => {
    if (value === "all") return;
    for (const [index, column] of value.entries()) {
      if (value.indexOf(column) === index) continue;
      context.addIssue({
        ...custom("every column once", undefined, "the column is listed twice"),
        path: [index],
      });
    }
  })
  .prefault("all")
  .describe("The columns that may be used: a list, or `all`, which includes those that are added later.");

/** `all`, or a mapping of which `readRoleFile` requires at least one key: an empty one could mean everything or nothing. */
function orAll<Shape extends z.core.$ZodShape>(shape: Shape, description: string) {
  return z
    .union([z.literal("all"), mapping(shape)], {
      error: `all, or a mapping with ${Object.keys(shape).join(", ")}`,
    })
    .describe(description);
}

const rows = expression(
  "The rows that the rule is about: an SQL condition over the table's columns and identity.<attribute>.",
).optional();
const check = expression(
  "What every new row has to satisfy: an SQL condition over its columns and identity.<attribute>.",
).optional();

const mask = z
  .record(z.string(), expression("Shown in the column's place."), {
    error: "a mapping of columns to SQL expressions",
  })
  .describe("Column → SQL expression that is shown in its place.");

export const tableSchema = mapping({
  select: orAll({ columns, mask: mask.optional(), rows }, "Reading.").optional(),
  insert: orAll({ columns, check }, "Adding rows.").optional(),
  update: orAll({ columns, rows, check }, "Changing rows.").optional(),
  delete: orAll({ rows }, "Removing rows.").optional(),
}).describe("What the role may do with one table or view.");

const functionName = name("a function's name, without arguments", 2).transform((parts, context) => {
  // Joined by a dot they have to stay readable as name and schema.name.
  if (!parts.some((part) => part.includes("."))) return parts.join(".");
  context.addIssue(custom("a function whose name has no dot", undefined, "not a usable name"));
  return z.NEVER;
});

const settingNameText = z
  .string({ error: "a setting's name" })
  .regex(/^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*(\.\*)?$/, {
    error: "a setting's name in lower case, or application.* for all that begin so",
  });

/** What a role may do to a relation itself, beside its rows. */
export const definitionNames = ["create", "alter", "drop", "truncate", "comment", "index"] as const;

const channels = z.array(
  z
    .string({ error: "a channel's name" })
    .regex(/^[^\0*]{1,63}$|^[^\0*]{0,62}\*$/, { error: "a channel's name; a * at its end matches any rest" }),
  { error: "a list of channels" },
);

const shown = z.enum(["shown", "hidden"], { error: "shown or hidden" }).prefault("shown");

export const roleShape = {
  role: text("the role's name").describe("The database role that is in force."),
  database: text("a database of rolegate.yaml").describe("The database, as rolegate.yaml names it."),
  description: z.string({ error: "text" }).describe("For people: who the role is for.").optional(),
  unrestricted: z
    .boolean({ error: "true or false" })
    .prefault(false)
    .describe(
      "The role may do whatever its database role may. No rule can stand beside it: only `role`, `database` and `description`.",
    ),
  tables: z
    .record(z.string(), tableSchema, { error: "a mapping of tables to their rules" })
    .describe(
      "Table, `schema.table` or `schema.*` → its rules; schema public where none is named. A table without an entry is refused.",
    )
    .optional(),
  functions: mapping({
    allow: z
      .array(functionName, { error: "a list of functions" })
      .describe("Names, or schema.name, without arguments."),
  })
    .describe("Functions allowed beside the safe built-in ones.")
    .optional(),
  settings: mapping({
    allow: z
      .array(settingNameText, { error: "a list of settings" })
      .describe("Names in lower case; `application.*` stands for all of an application's own."),
  })
    .describe("Settings that the client may change, beside a safe default list.")
    .optional(),
  definitions: z
    .record(
      z.string(),
      z
        .array(z.enum(definitionNames, { error: `one of ${definitionNames.join(", ")}` }), {
          error: `a list of ${definitionNames.join(", ")}`,
        })
        .nonempty({ error: "at least one of them" }),
      { error: "a mapping of relations to what may be defined of them" },
    )
    .describe(
      "Table, `schema.table` or `schema.*` → what the role may define of it: a list of `create`, `alter`, `drop`, `truncate`, `comment`, `index`.",
    )
    .optional(),
  session: mapping({
    temporary_tables: z.boolean().prefault(false).describe("Temporary tables may be made."),
    advisory_locks: z.boolean().prefault(false).describe("Advisory locks may be taken."),
    two_phase: z
      .boolean()
      .prefault(false)
      .describe("Transactions may be prepared, and finished later, by PREPARE TRANSACTION."),
    listen: channels
      .describe("Channels that may be listened to; a `*` at the end matches any rest.")
      .optional(),
    notify: channels.describe("Channels that may be notified, by NOTIFY and pg_notify.").optional(),
  })
    .describe("What a session may hold beyond a statement.")
    .optional(),
  catalogs: mapping({
    definitions: shown.describe("The texts of views, functions, rules, defaults and constraints."),
    comments: shown.describe("Comments on objects."),
  })
    .describe("What the catalogs show beside names and types.")
    .optional(),
  limits: mapping({
    statement_timeout: duration.describe("The longest that a statement may run.").optional(),
  })
    .describe("Bounds on what the role's statements may take up.")
    .optional(),
} as const;

/** The whole of a role file, for editors. */
export const roleFileSchema = mapping(roleShape);

/** Keys of the design that are still to come. */
export const laterRoleSettings: ReadonlySet<string> = new Set([
  "limits.rows",
  "limits.concurrent",
  "limits.rate",
]);
