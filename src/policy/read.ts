import * as z from "zod";
import { type Document, isMapping, lineAt, settingName, valueAt } from "../document/document.ts";
import { mapping } from "../document/mapping.ts";
import { parseDocument } from "../document/parse.ts";
import type { ConfigProblem } from "../document/problem.ts";
import { validate } from "../document/validate.ts";
import { readDefinitions } from "./read-definitions.ts";
import { readTables } from "./read-tables.ts";
import type { RoleFile } from "./role-file.ts";
import { laterRoleSettings, roleShape } from "./role-schema.ts";

/** What could be read of a role file: all of it, or at least which role it is for. */
export type RoleReading = {
  readonly roleFile: RoleFile | undefined;
  /** As written, even where the rest is refused, so that other checks need not call the role missing. */
  readonly role: string | undefined;
  readonly database: string | undefined;
  /** Where the two stand, 1-based. */
  readonly lines: { readonly role: number; readonly database: number };
  readonly problems: readonly ConfigProblem[];
};

/** The keys beside `tables`, whose entries are read one by one so that the problems of all of them are found. */
const headSchema = mapping({ ...roleShape, tables: z.unknown().optional() });

/**
 * Reads one role file. Whether its expressions are SQL and its tables exist is not judged here.
 * @param text the file's content.
 * @param file the name that the rules carry into the record: relative to the configuration file.
 * @param shownAs the name that problems give: relative to the working directory.
 */
export function readRoleFile(text: string, file: string, shownAs: string = file): RoleReading {
  const { document, problems } = parseDocument(shownAs, text);
  if (document === undefined) {
    return {
      roleFile: undefined,
      role: undefined,
      database: undefined,
      lines: { role: 1, database: 1 },
      problems,
    };
  }
  const head = validate(document, [], headSchema, problems, { later: laterRoleSettings });
  const tables = readTables(document, file, problems);
  const definitions = readDefinitions(document, head?.definitions, problems);
  const unrestricted = head?.unrestricted === true ? lineAt(document, ["unrestricted"]) : undefined;
  if (unrestricted !== undefined) problems.push(...rulesBeside(document));
  const roleFile: RoleFile | undefined =
    head === undefined || problems.length > 0
      ? undefined
      : {
          role: head.role,
          database: head.database,
          description: head.description,
          file,
          unrestricted,
          tables,
          definitions,
          session: {
            temporaryTables: head.session?.temporary_tables ?? false,
            advisoryLocks: head.session?.advisory_locks ?? false,
            twoPhase: head.session?.two_phase ?? false,
            listen: head.session?.listen ?? [],
            notify: head.session?.notify ?? [],
          },
          catalogs: head.catalogs ?? { definitions: "shown", comments: "shown" },
          functions: head.functions?.allow ?? [],
          settings: head.settings?.allow ?? [],
          statementTimeout: head.limits?.statement_timeout,
          lines: {
            functions: linesOf(document, "functions", head.functions?.allow),
            settings: linesOf(document, "settings", head.settings?.allow),
          },
        };
  return {
    roleFile,
    role: textAt(document, "role"),
    database: textAt(document, "database"),
    lines: { role: lineAt(document, ["role"]), database: lineAt(document, ["database"]) },
    problems,
  };
}

/** What a role may hold although nothing is kept from it. */
const withoutRules: ReadonlySet<string> = new Set(["role", "database", "description", "unrestricted"]);

/** A rule beside `unrestricted` would do nothing: whoever may run code in the database gets past it. */
function rulesBeside(document: Document): ConfigProblem[] {
  const all = valueAt(document, []);
  const keys = isMapping(all) ? Object.keys(all).filter((key) => !withoutRules.has(key)) : [];
  return keys.map((key) => ({
    file: document.file,
    line: lineAt(document, [key]),
    setting: settingName([key]),
    message: "a rule of a role without rules",
    found: `\`${key}\` beside \`unrestricted: true\``,
    expected: "a role of its own for what has rules; an unrestricted one is bound by its database role alone",
  }));
}

function linesOf(
  document: Document,
  key: string,
  names: readonly string[] = [],
): ReadonlyMap<string, number> {
  return new Map(names.map((name, index) => [name, lineAt(document, [key, "allow", index])]));
}

function textAt(document: Document, key: string): string | undefined {
  const value = valueAt(document, [key]);
  return typeof value === "string" ? value : undefined;
}
