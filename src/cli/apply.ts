import type { Command } from "commander";
import { applyTo } from "../apply/apply-to.ts";
import { formatProblem } from "../document/problem.ts";
import { loadCheckedConfig } from "./load-config.ts";

type ApplyOptions = {
  readonly config: string;
  readonly database?: string;
  readonly url?: string;
  readonly dryRun?: boolean;
  readonly adopt?: boolean;
};

/** Adds `rolegate apply` to the program. */
export function registerApply(program: Command): void {
  program
    .command("apply")
    .description("make the roles and logins in the database, with grants as narrow as the rules")
    .option("-c, --config <file>", "the configuration", "rolegate.yaml")
    .option("-d, --database <name>", "which of its databases; needed where there are several")
    .option(
      "-u, --url <url>",
      "the administrator's connection; else ROLEGATE_ADMIN_URL, else the PG* variables",
    )
    .option("-n, --dry-run", "print the SQL and change nothing")
    .option("--adopt", "take over roles of these names that apply has not made")
    .addHelpText(
      "after",
      "\nIt revokes from these roles whatever the rules do not need. All or nothing: one transaction." +
        "\nExit codes: 0 fine, 1 the database does not fit the rules, 2 could not run.",
    )
    .action(async (options: ApplyOptions) => {
      process.exitCode = await apply(options);
    });
}

async function apply(options: ApplyOptions): Promise<number> {
  const loaded = await loadCheckedConfig(options.config, process.env);
  if (loaded.kind === "refused") {
    process.stderr.write(loaded.problems.map((problem) => `${formatProblem(problem)}\n`).join(""));
    return 2;
  }
  const { databases } = loaded.config;
  const name = options.database ?? (databases.size === 1 ? [...databases.keys()][0] : undefined);
  const database = name === undefined ? undefined : databases.get(name);
  if (database === undefined)
    throw new Error(
      `--database: found ${name ?? "none"}, expected one of ${[...databases.keys()].join(", ")}`,
    );
  const url = options.url ?? process.env["ROLEGATE_ADMIN_URL"];
  const result = await applyTo(url, database, options);
  if (result.kind === "refused") {
    process.stderr.write(result.problems.map((problem) => `${problem}\n`).join(""));
    return 1;
  }
  for (const sql of result.statements) process.stdout.write(`${withoutVerifier(sql)};\n`);
  process.stderr.write(result.notes.map((note) => `note: ${note}\n`).join(""));
  const count = result.statements.length;
  const done = options.dryRun === true ? "to run" : "run";
  process.stderr.write(count === 0 ? "nothing to change\n" : `${count} statements ${done}\n`);
  return 0;
}

/** A verifier lets nobody in, but passwords can be guessed against it. */
function withoutVerifier(sql: string): string {
  return sql.replaceAll(/SCRAM-SHA-256\$[^']*/g, "SCRAM-SHA-256$…");
}
