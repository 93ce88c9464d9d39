import type * as z from "zod";
import {
  type Document,
  type Path,
  contentLineAt,
  isMapping,
  lineAt,
  settingName,
  valueAt,
} from "../document/document.ts";
import type { ConfigProblem } from "../document/problem.ts";
import { describe, validate } from "../document/validate.ts";
import { parseName } from "./relation-name.ts";
import type { RuleExpression, SelectRule, TableRule } from "./role-file.ts";
import { tableSchema } from "./role-schema.ts";

type TableValue = z.output<typeof tableSchema>;

/** The entries of `tables`, in the file's order; each problem is added to `problems`. */
export function readTables(
  document: Document,
  file: string,
  problems: ConfigProblem[],
): readonly TableRule[] {
  const entries = valueAt(document, ["tables"]);
  if (entries === undefined) return [];
  if (!isMapping(entries) || Object.keys(entries).length === 0) {
    problems.push(problemAt(document, ["tables"], "wrong value", "a mapping of tables to their rules"));
    return [];
  }
  const rules: TableRule[] = [];
  const seen = new Map<string, Path>();
  for (const key of Object.keys(entries)) {
    const path = ["tables", key];
    const value = nothingEmpty(document, path, problems)
      ? validate(document, path, tableSchema, problems)
      : undefined;
    const name = readRelationName(document, path, key, seen, problems);
    if (value === undefined || name === undefined) continue;
    rules.push({
      ...name,
      line: lineAt(document, path),
      ...operations(document, file, path, value, problems),
    });
  }
  return rules;
}

/** An empty entry or rule could be read as everything or as nothing, so it is refused. */
function nothingEmpty(document: Document, path: Path, problems: ConfigProblem[]): boolean {
  const entry = valueAt(document, path);
  if (!isMapping(entry)) return true;
  const operations = Object.keys(entry);
  const empty = operations
    .map((operation) => [...path, operation])
    .filter((rule) => isEmptyMapping(document, rule));
  if (operations.length === 0) {
    problems.push(
      problemAt(document, path, "an empty rule", "at least one of select, insert, update, delete"),
    );
  }
  for (const rule of empty)
    problems.push(problemAt(document, rule, "an empty rule", "all, or a mapping with at least one key"));
  return operations.length > 0 && empty.length === 0;
}

function isEmptyMapping(document: Document, path: Path): boolean {
  const value = valueAt(document, path);
  return isMapping(value) && Object.keys(value).length === 0;
}

/** The name of an entry, each only once; `public` where it names no schema. */
export function readRelationName(
  document: Document,
  path: Path,
  key: string,
  seen: Map<string, Path>,
  problems: ConfigProblem[],
) {
  const parsed = parseName(key, 2, true);
  if (parsed.kind === "refused") {
    problems.push(problemAt(document, path, "not a usable name", parsed.expected, `\`${key}\``));
    return undefined;
  }
  const [first = "", second] = parsed.parts;
  const [schema, name] = second === undefined ? ["public", first] : [first, second];
  if (schema === "information_schema" || schema.startsWith("pg_")) {
    problems.push(
      problemAt(
        document,
        path,
        "no rules for system schemas",
        "a table of yours: what may be read of the system catalogs is the same for every role",
        `\`${key}\``,
      ),
    );
    return undefined;
  }
  const twin = seen.get(`${schema}\0${name}`);
  if (twin !== undefined) {
    const expected = `one entry for ${schema}.${name}, which line ${lineAt(document, twin)} names already`;
    problems.push(problemAt(document, path, "two entries for one table", expected, `\`${key}\``));
    return undefined;
  }
  seen.set(`${schema}\0${name}`, path);
  return { schema, name };
}

function operations(
  document: Document,
  file: string,
  path: Path,
  value: TableValue,
  problems: ConfigProblem[],
) {
  const line = (operation: string) => lineAt(document, [...path, operation]);
  const expression = (sql: string | undefined, ...steps: string[]): RuleExpression | undefined =>
    sql === undefined ? undefined : { sql, file, line: contentLineAt(document, [...path, ...steps]) };
  const { select, insert, update } = value;
  return {
    select: select === undefined ? undefined : readSelect(select),
    insert:
      insert === undefined
        ? undefined
        : insert === "all"
          ? { columns: insert, check: undefined, line: line("insert") }
          : {
              columns: insert.columns,
              check: expression(insert.check, "insert", "check"),
              line: line("insert"),
            },
    update:
      update === undefined
        ? undefined
        : update === "all"
          ? { columns: update, rows: undefined, check: undefined, line: line("update") }
          : {
              columns: update.columns,
              rows: expression(update.rows, "update", "rows"),
              check: expression(update.check, "update", "check"),
              line: line("update"),
            },
    delete:
      value.delete === undefined
        ? undefined
        : {
            rows: value.delete === "all" ? undefined : expression(value.delete.rows, "delete", "rows"),
            line: line("delete"),
          },
  };

  function readSelect(rule: NonNullable<TableValue["select"]>): SelectRule {
    if (rule === "all") return { columns: rule, mask: new Map(), rows: undefined, line: line("select") };
    const mask = new Map<string, RuleExpression>();
    for (const [key, sql] of Object.entries(rule.mask ?? {})) {
      const at = [...path, "select", "mask", key];
      const column = maskedColumn(document, at, key, rule.columns, problems);
      if (column === undefined) continue;
      if (mask.has(column))
        problems.push(
          problemAt(document, at, "two masks for one column", `one mask for ${column}`, `\`${key}\``),
        );
      mask.set(column, { sql, file, line: contentLineAt(document, at) });
    }
    return {
      columns: rule.columns,
      mask,
      rows: expression(rule.rows, "select", "rows"),
      line: line("select"),
    };
  }
}

function maskedColumn(
  document: Document,
  path: Path,
  key: string,
  columns: "all" | readonly string[],
  problems: ConfigProblem[],
) {
  const parsed = parseName(key, 1);
  if (parsed.kind === "refused") {
    problems.push(problemAt(document, path, "not a usable name", parsed.expected, `\`${key}\``));
    return undefined;
  }
  const [column = ""] = parsed.parts;
  if (columns !== "all" && !columns.includes(column)) {
    const expected = `one of the listed columns: ${columns.join(", ")}`;
    problems.push(
      problemAt(document, path, "a mask for a column that is not listed", expected, `\`${key}\``),
    );
    return undefined;
  }
  return column;
}

function problemAt(
  document: Document,
  path: Path,
  message: string,
  expected: string,
  found?: string,
): ConfigProblem {
  return {
    file: document.file,
    line: lineAt(document, path),
    setting: settingName(path),
    message,
    found: found ?? describe(valueAt(document, path), path),
    expected,
  };
}
