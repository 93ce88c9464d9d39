import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import { formatProblem } from "../document/problem.ts";
import { loadCheckedConfig } from "./load-config.ts";

/** Adds `rolegate check` to the program. */
export function registerCheck(program: Command): void {
  program
    .command("check")
    .description(
      "read rolegate.yaml and the role files and report every problem at once; connects to nothing",
    )
    .option("-c, --config <file>", "the configuration", "rolegate.yaml")
    .option("--json", "print the problems as JSON")
    .addHelpText("after", "\nExit codes: 0 fine, 2 problems.")
    .action(async ({ config: file, json }: { config: string; json?: boolean }) => {
      const loaded = await loadCheckedConfig(file, process.env);
      const problems = loaded.kind === "refused" ? loaded.problems : [];
      if (json) process.stdout.write(`${JSON.stringify({ file, problems }, undefined, 2)}\n`);
      else if (loaded.kind === "loaded") process.stdout.write(`${file}: fine: ${contents(loaded.config)}\n`);
      else
        process.stdout.write(
          [...problems.map(formatProblem), counted(problems.length, "problem"), ""].join("\n"),
        );
      if (problems.length > 0) process.exitCode = 2;
    });
}

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
