import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { type Command, Option } from "commander";
import { visible } from "../audit/escape.ts";
import type { Config } from "../config/config.ts";
import { formatProblem } from "../document/problem.ts";
import { oneOf } from "../document/suggest.ts";
import { RolegateError } from "../errors.ts";
import { identityAs } from "./explain-identity.ts";
import { explain, type Explanation } from "./explanation.ts";
import { formatExplanation } from "./format-explanation.ts";
import { loadCheckedConfig } from "./load-config.ts";

type ExplainOptions = {
  readonly config: string;
  readonly as: string;
  readonly role?: string;
  readonly database?: string;
  readonly attribute: readonly string[];
  readonly address: string;
  readonly applicationName: string;
  readonly tls: boolean;
  readonly file?: string;
  readonly json?: boolean;
};

/** Adds `rolegate explain` to the program. */
export function registerExplain(program: Command): void {
  program
    .command("explain")
    .description(
      "say what would become of a statement: who, as which role, by which rules, and what would be sent",
    )
    .argument("[sql]", "the statement; - reads it from standard input")
    .requiredOption("--as <name>", "the identity: a password user, or the name in a token")
    .option("-c, --config <file>", "the configuration", "rolegate.yaml")
    .option("-d, --database <name>", "which of its databases; needed where there are several")
    .option("-r, --role <role>", "log in to this role, in place of the first that access gives")
    .addOption(
      new Option("-a, --attribute <name=value>", "an attribute that the token gives; repeat it for several")
        .argParser((value: string, before: readonly string[]) => [...before, value])
        .default([], "none"),
    )
    .option("--address <address>", "where the client connects from, for access", "127.0.0.1")
    .option("--application-name <name>", "the client's application_name, for access", "")
    .option("--no-tls", "the client connects without TLS, for access")
    .option("-f, --file <file>", "read the statement from a file")
    .option("--json", "print it as JSON")
    .addHelpText(
      "after",
      "\nIt reads the database's catalog with the role's login, as serve does, and runs nothing." +
        "\nExit codes: 0 it runs, 1 it is refused, 2 could not tell.",
    )
    .action(async (sql: string | undefined, options: ExplainOptions) => {
      const loaded = await loadCheckedConfig(options.config, process.env);
      if (loaded.kind === "refused") {
        process.stderr.write([...loaded.problems.map(formatProblem), ""].join("\n"));
        process.exitCode = 2;
        return;
      }
      const explanation = await explainFor(options, await statement(sql, options), loaded.config);
      const coloured =
        process.stdout.isTTY && process.stdout.hasColors() && process.env["NO_COLOR"] === undefined;
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify(explanation, undefined, 2)}\n`
          : formatExplanation(explanation, coloured),
      );
      process.exitCode = explanation.verdict === "run" ? 0 : 1;
    });
}

async function statement(sql: string | undefined, { file }: ExplainOptions): Promise<string> {
  if (file !== undefined && sql !== undefined)
    throw new Error("a statement and --file: expected one of the two");
  if (file !== undefined) return readFileSync(file, "utf8");
  if (sql === undefined)
    throw new Error("no statement: give it as an argument, with --file, or as - on standard input");
  return sql === "-" ? text(process.stdin) : sql;
}

/** @throws Error that says what is wrong with the options, or why the database cannot be asked */
async function explainFor(options: ExplainOptions, sql: string, config: Config): Promise<Explanation> {
  const { databases } = config;
  const database = options.database ?? (databases.size === 1 ? [...databases.keys()][0]! : undefined);
  if (database === undefined || !databases.has(database))
    throw new Error(
      `--database: found ${database ?? "none"}, expected ${oneOf(database ?? "", databases.keys())}`,
    );
  const identity = identityAs(options.as, { attributes: options.attribute, signedInAt: Date.now() }, config);
  const { address, applicationName } = options;
  const tls = options.tls && config.listen.tls !== undefined;
  try {
    return await explain(
      sql,
      options.role ?? identity.name,
      identity,
      { address, tls, database, applicationName },
      config,
    );
  } catch (error) {
    if (!(error instanceof RolegateError)) throw error;
    const { cause } = error;
    const why = cause instanceof Error ? `: ${visible(cause.message)}` : "";
    throw new Error(
      `${error.problem.message}${why}; what a statement means stands in the catalog of database ${database}`,
      { cause: error },
    );
  }
}
