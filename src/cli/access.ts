import { isIP } from "node:net";
import { type Command, Option } from "commander";
import { parseTime } from "../audit/parse-time.ts";
import type { Config } from "../config/config.ts";
import { formatProblem } from "../document/problem.ts";
import { oneOf } from "../document/suggest.ts";
import { methods, type Identity, type Method } from "../identity/identity.ts";
import { loadParser, workerLimits } from "../sql/parser.ts";
import { accessReport, type AccessReport } from "./access-report.ts";
import { identityAs } from "./explain-identity.ts";
import { formatAccess } from "./format-access.ts";
import { loadCheckedConfig, newestMajor } from "./load-config.ts";

export type AccessOptions = {
  readonly config: string;
  readonly as?: string;
  readonly database?: string;
  readonly attribute: readonly string[];
  readonly method?: Method;
  readonly mfa?: boolean;
  readonly signedIn?: string;
  readonly at?: string;
  readonly address: string;
  readonly applicationName: string;
  readonly tls: boolean;
  readonly json?: boolean;
};

/** Adds `rolegate access` to the program. */
export function registerAccess(program: Command): void {
  program
    .command("access")
    .description("say who may take which role, and which part of a condition keeps them from it")
    .option("--as <name>", "an identity: a password user, or the name in a token; else every password user")
    .option("-c, --config <file>", "the configuration", "rolegate.yaml")
    .option("-d, --database <name>", "only this one of its databases")
    .addOption(
      new Option("-a, --attribute <name=value>", "an attribute that the token gives; repeat it for several")
        .argParser((value: string, before: readonly string[]) => [...before, value])
        .default([], "none"),
    )
    .addOption(new Option("--method <method>", "how it is proved who they are").choices(methods))
    .option("--mfa", "the token says that several factors were used")
    .option("--signed-in <ago>", "when they signed in: 15m, 2h, 3d, or a time; else at the time of the login")
    .option("--at <time>", "the time of the login: 2026-01-31T12:00Z, or 2h for two hours ago; else now")
    .option("--address <address>", "where the client connects from", "127.0.0.1")
    .option("--application-name <name>", "the client's application_name", "")
    .option("--no-tls", "the client connects without TLS")
    .option("--json", "print it as JSON")
    .addHelpText(
      "after",
      "\nIt reads the configuration alone, and asks no database." +
        "\nExit codes: 0 each may take some role, 1 somebody may take none, 2 could not tell.",
    )
    .action(async (options: AccessOptions) => {
      const coloured =
        process.stdout.isTTY && process.stdout.hasColors() && process.env["NO_COLOR"] === undefined;
      const { out, err, exitCode } = await access(options, process.env, coloured);
      process.stdout.write(out);
      process.stderr.write(err);
      process.exitCode = exitCode;
    });
}

/** @throws Error that says what is wrong with the options */
export async function access(
  options: AccessOptions,
  env: NodeJS.ProcessEnv,
  coloured: boolean,
): Promise<{ readonly out: string; readonly err: string; readonly exitCode: 0 | 1 | 2 }> {
  const loaded = await loadCheckedConfig(options.config, env);
  if (loaded.kind === "refused")
    return { out: "", err: [...loaded.problems.map(formatProblem), ""].join("\n"), exitCode: 2 };
  const report = await reportFor(options, loaded.config);
  const out =
    options.json === true
      ? `${JSON.stringify(report, undefined, 2)}\n`
      : formatAccess(report, { coloured, why: options.as !== undefined });
  const each = report.identities.every(({ databases }) => databases.some(({ roles }) => roles.length > 0));
  return { out, err: "", exitCode: each ? 0 : 1 };
}

/** @throws Error that says what is wrong with the options */
async function reportFor(options: AccessOptions, config: Config): Promise<AccessReport> {
  const { database, address, applicationName } = options;
  if (database !== undefined && !config.databases.has(database))
    throw new Error(`--database: found ${database}, expected ${oneOf(database, config.databases.keys())}`);
  if (isIP(address) === 0) throw new Error(`--address: found ${address}, expected an IP address`);
  const now = options.at === undefined ? Date.now() : timeOf("--at", options.at, Date.now());
  const signedInAt = options.signedIn === undefined ? now : timeOf("--signed-in", options.signedIn, now);
  const parser = await loadParser(newestMajor, workerLimits);
  return accessReport(identitiesFor(options, signedInAt, config), {
    config,
    parser,
    databases: database === undefined ? [...config.databases.keys()] : [database],
    now,
    connection: { address, tls: options.tls && config.listen.tls !== undefined, applicationName },
  });
}

function identitiesFor(
  { as, attribute, method, mfa }: AccessOptions,
  signedInAt: number,
  config: Config,
): readonly Identity[] {
  if (as !== undefined) return [identityAs(as, { attributes: attribute, method, mfa, signedInAt }, config)];
  if (attribute.length > 0 || method !== undefined || mfa !== undefined)
    throw new Error("--attribute, --method and --mfa: expected --as with them");
  const users = [...(config.identities.passwordUsers?.keys() ?? [])];
  if (users.length === 0)
    throw new Error("--as: found none, expected a name: no password user is configured");
  return users.map((name) => identityAs(name, { attributes: [], signedInAt }, config));
}

function timeOf(option: string, text: string, now: number): number {
  const time = parseTime(text, now);
  if (time !== undefined) return Date.parse(time);
  throw new Error(`${option}: found ${text}, expected a time such as 2h (ago) or 2026-01-31T12:00Z`);
}
