import type { Command } from "commander";
import { visible } from "../audit/escape.ts";
import { revoke } from "../store/revocations.ts";
import { listSessions, type ListedSession } from "../store/sessions.ts";
import type { Store } from "../store/store.ts";
import { operator, readReason, withStore } from "./with-store.ts";

type FilterOptions = {
  readonly identity?: string;
  readonly role?: string;
  readonly database?: string;
  readonly client?: string;
  readonly state?: string;
};

type SessionsOptions = FilterOptions & { readonly config: string; readonly json?: boolean };
type EndOptions = SessionsOptions & { readonly reason?: string };

/** How long it is remembered that a session was ended: for instances that cannot reach the store now. */
const endedFor = 24 * 3_600_000;

/** Adds `rolegate sessions` to the program. */
export function registerSessions(program: Command): void {
  const sessions = withFilters(
    program
      .command("sessions")
      .description("list the sessions that are open in all instances that share the store"),
  ).action(async (options: SessionsOptions) => {
    process.exitCode = await withStore(options.config, (store) => list(store, options));
  });
  withFilters(
    sessions
      .command("end")
      .description("end sessions at once; who is in them may come again (see revoke)")
      .argument("[id...]", "which; or those that the options name")
      .option("--reason <text>", "why; they are told, and it is on record"),
  )
    .addHelpText("after", "\nExit codes: 0 fine, 1 there is no such session, 2 could not run.")
    .action(async (ids: readonly string[], _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<EndOptions>();
      process.exitCode = await withStore(options.config, (store) => end(store, ids, options));
    });
}

function withFilters(command: Command): Command {
  return command
    .option("--identity <name>", "of this person or service")
    .option("--role <role>", "in this role")
    .option("--database <database>", "of this database")
    .option("--client <address>", "from this address, with or without its port")
    .option("--state <state>", "active, idle, 'idle in transaction', …")
    .option("--json", "one JSON object a line, in place of text")
    .option("-c, --config <file>", "the configuration", "rolegate.yaml");
}

async function list(store: Store, options: SessionsOptions): Promise<number> {
  const found = (await listSessions((sql, values) => store.query(sql, values))).filter(matches(options));
  for (const session of found) process.stdout.write(`${format(session, options.json === true)}\n`);
  if (found.length === 0) process.stderr.write("no such session is open\n");
  return 0;
}

async function end(store: Store, ids: readonly string[], options: EndOptions): Promise<number> {
  const reason = readReason(options.reason);
  const { identity, role, database, client, state } = options;
  const named = [identity, role, database, client, state].some((value) => value !== undefined);
  if (ids.length === 0 && !named)
    throw new Error("found nothing to end, expected ids or options that name sessions");
  const query: Store["query"] = (sql, values) => store.query(sql, values);
  const open = await listSessions(query);
  const missing = ids.filter((id) => !open.some((session) => session.id === id));
  for (const id of missing)
    process.stderr.write(`rolegate sessions end: no session ${visible(id)} is open\n`);
  const ending = open.filter(({ id }) => ids.length === 0 || ids.includes(id)).filter(matches(options));
  const by = operator();
  for (const session of ending) {
    const until = Date.now() + endedFor;
    const { id: value } = session;
    await revoke(query, {
      kind: "session",
      value,
      issuer: undefined,
      database: undefined,
      reason,
      by,
      until,
    });
    process.stdout.write(`${format(session, options.json === true)}\n`);
  }
  process.stderr.write(`${ending.length} ended\n`);
  return missing.length > 0 || ending.length === 0 ? 1 : 0;
}

function matches({
  identity,
  role,
  database,
  client,
  state,
}: FilterOptions): (session: ListedSession) => boolean {
  return (session) =>
    (identity === undefined || session.identity === identity) &&
    (role === undefined || session.role === role) &&
    (database === undefined || session.database === database) &&
    (client === undefined || session.client === client || session.client.startsWith(`${client}:`)) &&
    (state === undefined || session.state === state);
}

/** One line; who logged in chose some of it, so nothing of it acts on the terminal. */
export function format(session: ListedSession, json: boolean): string {
  const { credential: _credential, ...shown } = session;
  if (json) return JSON.stringify(shown);
  const { id, identity, role, database, client, method, begun, state, instance } = session;
  const columns = [id, begun, state, `${identity}/${role}`, database, method, client, instance];
  return columns.map(visible).join("  ");
}
