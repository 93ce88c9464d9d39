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
    .action(async ({ config, json }: { config: string; json?: boolean }) => {
      const { output, exitCode } = await check(config, process.env, json === true ? "json" : "text");
      process.stdout.write(output);
      process.exitCode = exitCode;
    });
}

/** Checks a configuration: what to print, one line for each problem or all as JSON, and the exit code. */
export async function check(
  file: string,
  env: NodeJS.ProcessEnv,
  format: "text" | "json",
): Promise<{ output: string; exitCode: 0 | 2 }> {
  const loaded = await loadCheckedConfig(file, env);
  const problems = loaded.kind === "refused" ? loaded.problems : [];
  const exitCode = problems.length === 0 ? 0 : 2;
  if (format === "json") return { output: `${JSON.stringify({ file, problems }, undefined, 2)}\n`, exitCode };
  if (loaded.kind === "loaded") return { output: `${file}: fine: ${contents(loaded.config)}\n`, exitCode };
  const lines = [...problems.map(formatProblem), counted(problems.length, "problem")];
  return { output: `${lines.join("\n")}\n`, exitCode };
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
