/**
 * What becomes of a call.
 * - `allowed`: it runs.
 * - `blanked`: NULL stands in its place, unless the role file names the function.
 * - `shown`: it runs, or NULL stands in its place, as the role file's `catalogs` says.
 * - `judged`: what its arguments name decides; where they do not tell, the role file must name the function.
 * - `named`: it runs if the role file names it.
 * - `never`: no role file can allow it.
 */
export type Treatment = "allowed" | "blanked" | "shown" | "judged" | "named" | "never";

/** Every kind of function that the server has. The keys are the words of refusals and of docs/policy.md. */
export const functionClasses = {
  /** Computes a value from its arguments and from names in the catalogs, and changes nothing. */
  safe: "allowed",
  /** Volatile, and yet no more than that. */
  harmless: "allowed",
  /** Sizes and counters: they follow hidden rows. */
  counts: "blanked",
  /** Addresses of the database's machine. */
  addresses: "blanked",
  /** How something is defined: expressions, views, bodies. */
  definitions: "shown",
  comments: "shown",
  /** Reads a setting. */
  setting: "judged",
  /** Moves a sequence or shows where it stands. */
  sequence: "judged",
  /** Makes a value of a type that a text names, domains with their checks included. */
  "type by name": "judged",
  "advisory lock": "judged",
  notification: "judged",
  /** Holds something beyond the statement, or the connection up. */
  "holds a resource": "named",
  /** Large objects have owners and grants of their own, and no rules here. */
  "large object": "named",
  /** Shows other sessions, other transactions, statistics or the text of statements. */
  "shows others": "named",
  /** Reaches other sessions, directories, the log, replication or stored data of the server. */
  "reaches the server": "named",
  /** Runs SQL text that is given as an argument: past every rule. */
  "runs SQL": "never",
  /** Reads a relation or cursor that a value names. */
  "reads by name": "never",
  /** Reads or writes files, or the changes of every table. */
  "reads files": "never",
  /** Changes the session, the role or a setting. */
  "changes the session": "never",
  /** The server calls it: handlers, support functions, steps of aggregates. */
  internal: "never",
} as const satisfies Readonly<Record<string, Treatment>>;

export type FunctionClass = keyof typeof functionClasses;

/** Functions of one class. */
export type FunctionGroup = {
  readonly class: FunctionClass;
  /** The type of the NULL that stands in place of a call, as pg_catalog names it. */
  readonly nullOf?: string;
  /** Separated by white space. `name/2` is the overload with two arguments, where overloads differ in danger. */
  readonly names: string;
};
