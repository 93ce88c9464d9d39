import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";

/** One statement and what must come of it, as the files beside this one say it. */
export type Case = {
  readonly name: string;
  /** The role file under fixtures/roles; `analyst` where none is named. */
  readonly role?: string;
  readonly sql: string;
  /** The text that is sent. */
  readonly sent?: string;
  /** The rows of the last statement, numbers for int4 and text for the rest. */
  readonly rows?: readonly unknown[];
  /** Rows of the command tag. */
  readonly count?: number;
  /** SQLSTATE of rolegate's refusal. */
  readonly refused?: string;
  readonly message?: string;
  /** SQLSTATE of the server's own error. */
  readonly error?: string;
  /** The rule that a row fails; the server's error is then rolegate's, 42501. */
  readonly denied?: string;
  readonly discardRows?: boolean;
  /** A query of the same session, in the same transaction, and its rows. */
  readonly after?: { readonly sql: string; readonly rows: readonly unknown[] };
  /** Not run by itself: it needs a transaction, a COPY stream or another role. */
  readonly pure?: boolean;
  /** Run outside a transaction: below 18 search_path changes nowhere else. */
  readonly outside?: boolean;
  /** The first major version whose grammar has it. */
  readonly since?: number;
  /** The last major version that says this. */
  readonly until?: number;
};

const directory = new URL("./", import.meta.url);

/** Every case, under its file's name. */
export function readCases(): readonly (readonly [file: string, cases: readonly Case[]])[] {
  const files = readdirSync(directory).filter((file) => file.endsWith(".yaml"));
  return files
    .toSorted()
    .map((file) => [file, parse(readFileSync(new URL(file, directory), "utf8")) as Case[]]);
}

export function readFixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, directory), "utf8");
}

/** The roles of the cases. */
export const caseRoles = ["analyst", "admin", "odd", "writer", "migrator", "keeper", "clerk"] as const;
