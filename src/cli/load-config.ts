import path from "node:path";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { sortProblems } from "../document/problem.ts";
import { ruleProblems } from "../policy/check-rules.ts";
import { loadParser, workerLimits } from "../sql/parser.ts";

/** The newest grammar: which server answers is not known before it is asked. */
export const newestMajor = 18;

/**
 * Loads a configuration and reads the expressions of its rules too; `check` and `serve` begin with it.
 * @param file the configuration file; problems are named relative to the working directory, as it is.
 */
export async function loadCheckedConfig(
  file: string,
  env: NodeJS.ProcessEnv,
  options: Parameters<typeof loadConfig>[2] = {},
): Promise<LoadedConfig> {
  const loaded = loadConfig(file, env, options);
  if (loaded.kind === "refused") return loaded;
  const { databases, identities } = loaded.config;
  const parser = await loadParser(newestMajor, workerLimits);
  const problems = [...databases.values()]
    .flatMap((database) => [...database.roles.values()])
    .flatMap((role) => ruleProblems(role, identities.attributes, parser))
    .map((problem) => ({ ...problem, file: beside(file, problem.file) }));
  return problems.length === 0 ? loaded : { kind: "refused", problems: sortProblems(problems) };
}

/** A file that problems name relative to the configuration file, as seen from the working directory. */
export function beside(configFile: string, file: string): string {
  return path.isAbsolute(file) ? file : path.join(path.dirname(configFile), file);
}
