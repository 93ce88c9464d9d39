import type { Writable } from "node:stream";
import type { Command } from "commander";
import { escapeIdentifier } from "pg";
import { visible } from "../audit/escape.ts";
import { ownConnection, refusalLines, tell, type OwnRow } from "./own-connection.ts";

type Common = { readonly url?: string; readonly json?: boolean };

type AskOptions = Common & {
  readonly role: string;
  readonly database?: string;
  readonly for: string;
  readonly reason: string;
  readonly breakGlass?: boolean;
};

/** Where the commands read and write. */
type Surroundings = {
  readonly stdout: Pick<Writable, "write">;
  readonly stderr: Pick<Writable, "write">;
  readonly env: NodeJS.ProcessEnv;
};

/** What a command has rolegate do, and how its rows are shown. */
type Told = {
  readonly command: string;
  readonly show: (rows: readonly OwnRow[]) => string;
};

const connecting =
  "\nConnects to a running rolegate as any client does: PGHOST (127.0.0.1), PGPORT (6432), PGUSER, PGPASSWORD, PGSSLMODE, or --url." +
  "\nExit codes: 0 done, 1 refused, 2 it could not be asked.";

/** Adds `rolegate request`, `requests`, `approve`, `deny` and `withdraw` to the program. */
export function registerRequests(program: Command): void {
  const { stdout, stderr, env } = process;
  const run = async (
    verb: string,
    options: Common,
    told: (database: string | undefined) => Told,
  ): Promise<void> => {
    process.exitCode = await say(verb, options, told, { stdout, stderr, env });
  };
  const add = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option("--url <url>", "where rolegate listens, and who you are: postgres://user@host:port/database")
      .option("--json", "print the rows as JSON")
      .addHelpText("after", connecting);

  add("request", "ask for a role, for a time")
    .requiredOption("--role <role>", "the role")
    .option("--database <name>", "the database; else the one of --url or PGDATABASE")
    .requiredOption("--for <time>", "for how long: 90s, 30m, 1h")
    .requiredOption("--reason <text>", "why: whoever decides reads it, and it is on record")
    .option("--break-glass", "take it at once, in an emergency: it raises an alarm")
    .action((options: AskOptions) => run("request", options, (database) => asked(options, database)));
  add("requests", "list your own requests, and those that you may decide").action((options: Common) =>
    run("requests", options, () => ({ command: "SHOW REQUESTS", show: table })),
  );
  add("approve", "approve a request")
    .argument("<id>", "its number")
    .option("--comment <text>", "for the record")
    .action((id: string, options: Common & { readonly comment?: string }) => {
      const comment = options.comment === undefined ? "" : ` COMMENT ${literal(options.comment)}`;
      return run("approve", options, () => decided("approve", id, comment));
    });
  add("deny", "deny a request, also one that is in force")
    .argument("<id>", "its number")
    .requiredOption("--reason <text>", "why")
    .action((id: string, options: Common & { readonly reason: string }) =>
      run("deny", options, () => decided("deny", id, ` REASON ${literal(options.reason)}`)),
    );
  add("withdraw", "give up what you have asked for, also what is in force")
    .argument("<id>", "its number")
    .action((id: string, options: Common) => run("withdraw", options, () => decided("withdraw", id, "")));
}

/** Has rolegate do it; the exit code. */
async function say(
  verb: string,
  { url, json }: Common,
  told: (database: string | undefined) => Told,
  { stdout, stderr, env }: Surroundings,
): Promise<0 | 1 | 2> {
  try {
    const connection = ownConnection(url, env);
    const { command, show } = told(connection.database);
    const rows = await tell(connection, command);
    stdout.write(json === true ? `${JSON.stringify(rows, undefined, 2)}\n` : show(rows));
    return 0;
  } catch (error) {
    const lines = refusalLines(error);
    const said = lines ?? [error instanceof Error ? error.message : String(error)];
    stderr.write(`rolegate ${verb}: ${said.map(visible).join("\n")}\n`);
    return lines === undefined ? 2 : 1;
  }
}

/** `rolegate request` */
export function asked(options: AskOptions, usual: string | undefined): Told {
  const { role, for: time, reason, breakGlass } = options;
  const database = options.database ?? usual;
  if (database === undefined)
    throw new Error("--database: found none, expected the database that the role is of");
  const verb = breakGlass === true ? "BREAK GLASS" : "REQUEST";
  const command = `${verb} ROLE ${escapeIdentifier(role)} ON ${escapeIdentifier(database)} FOR ${literal(time)} REASON ${literal(reason)}`;
  return { command, show: lines };
}

/** `rolegate approve`, `deny` and `withdraw` */
export function decided(verb: "approve" | "deny" | "withdraw", id: string, more: string): Told {
  if (!/^[0-9]{1,15}$/.test(id)) throw new Error(`found ${id}, expected the number of a request`);
  return { command: `${verb.toUpperCase()} ${id}${more}`, show: lines };
}

/** As rolegate's own database reads it: a quote is doubled, and nothing else means anything. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function lines(rows: readonly OwnRow[]): string {
  return rows.map(line).join("");
}

function line({ id, role, database, duration, state, approvals, until }: OwnRow): string {
  const approved = approvals === "" ? "" : ` (${approvals} approved)`;
  const end = state === "in force" ? `, until ${until}` : "";
  return `${visible(`request ${id}: ${role} of ${database} for ${duration}, ${state}${approved}${end}`)}\n`;
}

const columns = [
  "id",
  "requester",
  "origin",
  "role",
  "database",
  "duration",
  "reason",
  "state",
  "approvals",
  "you_may",
];

function table(rows: readonly OwnRow[]): string {
  if (rows.length === 0) return "no requests\n";
  const cells = [columns, ...rows.map((row) => columns.map((column) => visible(row[column] ?? "")))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
