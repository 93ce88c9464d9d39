import type { Command } from "commander";
import { visible } from "../audit/escape.ts";
import type { Config } from "../config/config.ts";
import { formatProblem, sortProblems, type ConfigProblem } from "../document/problem.ts";
import { askDatabases, type DatabaseFindings } from "./check-database.ts";
import { beside, loadCheckedConfig } from "./load-config.ts";

type CheckOptions = { readonly config: string; readonly json?: boolean; readonly offline?: boolean };

/** Adds `rolegate check` to the program. */
export function registerCheck(program: Command): void {
  program
    .command("check")
    .description(
      "read rolegate.yaml and the role files, ask the databases about every rule, and report all problems at once",
    )
    .option("-c, --config <file>", "the configuration", "rolegate.yaml")
    .option("--offline", "connect to nothing: the files alone")
    .option("--json", "print the problems as JSON")
    .addHelpText(
      "after",
      "\nThe databases are asked with the roles' own logins; no rule is run, and nothing is changed." +
        "\nExit codes: 0 fine, 1 a rule does not fit its database, 2 problems in the files, or a database could not be asked.",
    )
    .action(async ({ config, json, offline }: CheckOptions) => {
      const { output, exitCode } = await check(config, process.env, {
        format: json === true ? "json" : "text",
        offline: offline === true,
      });
      process.stdout.write(output);
      process.exitCode = exitCode;
    });
}

/** Checks a configuration: what to print, one line for each finding or all as JSON, and the exit code. */
export async function check(
  file: string,
  env: NodeJS.ProcessEnv,
  { format, offline }: { readonly format: "text" | "json"; readonly offline: boolean },
): Promise<{ output: string; exitCode: 0 | 1 | 2 }> {
  const loaded = await loadCheckedConfig(file, env);
  const asked = loaded.kind === "refused" || offline ? nothing : await askDatabases(loaded.config);
  const placed = (problem: ConfigProblem) => ({ ...problem, file: beside(file, problem.file) });
  const problems = loaded.kind === "refused" ? loaded.problems : sortProblems(asked.problems.map(placed));
  const notes = sortProblems(asked.notes.map(placed));
  const { unasked } = asked;
  const exitCode = loaded.kind === "refused" || unasked.length > 0 ? 2 : problems.length > 0 ? 1 : 0;
  if (format === "json")
    return { output: `${JSON.stringify({ file, problems, notes, unasked }, undefined, 2)}\n`, exitCode };
  const lines = [
    ...problems.map(formatProblem),
    ...notes.map((note) => `note: ${formatProblem(note)}`),
    ...unasked.map(
      ({ database, role, reason }) =>
        `database ${database}: not asked about role ${role}: ${visible(reason)} (--offline leaves it out)`,
    ),
    loaded.kind === "loaded" && exitCode === 0
      ? `${file}: fine: ${contents(loaded.config)}${offline ? "; no database was asked" : ""}`
      : counted(problems.length, "problem"),
  ];
  return { output: lines.map((line) => `${line}\n`).join(""), exitCode };
}

const nothing: DatabaseFindings = { problems: [], notes: [], unasked: [] };

function contents({ databases, access, identities }: Config): string {
  const roles = [...databases.values()].reduce((count, { roles }) => count + roles.size, 0);
  return [
    counted(databases.size, "database"),
    counted(roles, "role"),
    `${access.length} access ${access.length === 1 ? "entry" : "entries"}`,
    counted(identities.passwordUsers?.size ?? 0, "password user"),
    counted(identities.jwt.length, "token issuer"),
  ].join(", ");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
