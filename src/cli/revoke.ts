import type { Command } from "commander";
import { visible } from "../audit/escape.ts";
import { indexRevocations, revokedBy } from "../access/revocations.ts";
import type { Config } from "../config/config.ts";
import {
  lift,
  listRevocations,
  revoke,
  type NewRevocation,
  type StoredRevocation,
} from "../store/revocations.ts";
import { listSessions, type ListedSession } from "../store/sessions.ts";
import type { Store } from "../store/store.ts";
import { readTarget, type TargetOptions } from "./revocation-target.ts";
import { format } from "./sessions.ts";
import { operator, readReason, withStore } from "./with-store.ts";

type RevokeOptions = TargetOptions & {
  readonly config: string;
  readonly reason?: string;
  readonly until?: string;
  readonly dryRun?: boolean;
  readonly list?: boolean;
  readonly all?: boolean;
  readonly lift?: string;
  readonly json?: boolean;
};

/** Adds `rolegate revoke` to the program. */
export function registerRevoke(program: Command): void {
  program
    .command("revoke")
    .description("take access away, in every instance that shares the store and from sessions that run")
    .argument("[name]", "whose: the identity's name, as the record shows it")
    .option("--session <id>", "one session, as the record and `rolegate sessions` name it")
    .option(
      "--token <id>",
      "a token: its jti, the token itself, or the SHA-256 of its first two parts in hex",
    )
    .option("--key <kid>", "every token that this key of an issuer has signed")
    .option("--certificate <fingerprint>", "a certificate, by its SHA-256 fingerprint")
    .option("--role <role>", "a role, from everybody")
    .option("--issuer <issuer>", "of --token or --key; needed for --key where there are several")
    .option("--database <database>", "of --role; left out: in all")
    .option("--reason <text>", "why; whoever is refused is told, and it is on record")
    .option("--until <time>", "ends by itself: 8h, 7d, 2026-12-31, 2026-12-31T18:00Z")
    .option("-n, --dry-run", "say what would be revoked, and change nothing")
    .option("-l, --list", "what is revoked; with --all what was, too")
    .option("--all", "with --list: also what was lifted or has ended")
    .option("--lift <id>", "give back what revocation <id> took; needs a --reason, too")
    .option("--json", "one JSON object a line, in place of text")
    .option("-c, --config <file>", "the configuration", "rolegate.yaml")
    .addHelpText("after", "\nExit codes: 0 fine, 1 there is no such revocation, 2 could not run.")
    .action(async (name: string | undefined, options: RevokeOptions) => {
      process.exitCode = await withStore(options.config, (store, config) =>
        run(name, options, store, config),
      );
    });
}

async function run(
  name: string | undefined,
  options: RevokeOptions,
  store: Store,
  config: Config,
): Promise<number> {
  const query: Store["query"] = (sql, values) => store.query(sql, values);
  if (options.list === true) {
    print(await listRevocations(query, options.all === true), options);
    return 0;
  }
  const by = operator();
  if (options.lift !== undefined) return giveBack(store, options.lift, by, options);
  const issuers = config.identities.jwt.map(({ issuer }) => issuer);
  const target = readTarget(name, options, { issuers, now: Date.now() });
  const revocation = { ...target, reason: readReason(options.reason), by };
  if (options.dryRun === true) {
    const concerned = concernedBy(revocation, await listSessions(query));
    process.stdout.write(`would revoke ${describe(revocation)} and end ${concerned.length} sessions\n`);
    for (const session of concerned) process.stdout.write(`${format(session, options.json === true)}\n`);
    return 0;
  }
  const id = await revoke(query, revocation);
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ id, ...revocation })}\n`
      : `revoked ${describe(revocation)} (id ${id})\n`,
  );
  return 0;
}

function concernedBy(revocation: NewRevocation, sessions: readonly ListedSession[]): ListedSession[] {
  const now = Date.now();
  const index = indexRevocations([{ ...revocation, id: "", at: now }]);
  return sessions.filter(({ id, identity: name, method, credential, role, database }) => {
    const times = { signedInAt: now, mfa: false, expiresAt: undefined };
    const identity = { name, method, credential, attributes: {}, ...times };
    return revokedBy(index, { identity, session: id, roles: [role], database }, now) !== undefined;
  });
}

async function giveBack(store: Store, id: string, by: string, options: RevokeOptions): Promise<number> {
  const reason = readReason(options.reason);
  if (!/^[1-9]\d{0,17}$/.test(id))
    throw new Error(`--lift: found ${visible(id)}, expected the id of a revocation`);
  const lifted = await lift((sql, values) => store.query(sql, values), { id, by, reason });
  if (lifted === undefined) {
    process.stderr.write(`rolegate revoke: no revocation ${id} is in force\n`);
    return 1;
  }
  process.stdout.write(`gave back ${describe(lifted)} (id ${id})\n`);
  return 0;
}

type Described = Pick<StoredRevocation, "kind" | "value" | "issuer" | "database" | "until">;

function describe({ kind, value, issuer, database, until }: Described): string {
  const of = issuer === undefined ? "" : ` of ${visible(issuer)}`;
  const at = database === undefined ? "" : ` in ${visible(database)}`;
  const end = until === undefined ? "" : ` until ${new Date(until).toISOString()}`;
  return `${kind} ${visible(value)}${of}${at}${end}`;
}

function print(revocations: readonly StoredRevocation[], { json }: RevokeOptions): void {
  for (const revocation of revocations) {
    const { id, by, at, reason, lifted } = revocation;
    const undone = lifted === undefined ? "" : `; lifted by ${visible(lifted.by)}: ${visible(lifted.reason)}`;
    const line =
      json === true
        ? JSON.stringify(revocation)
        : `${id.padStart(4)}  ${new Date(at).toISOString()}  ${describe(revocation)}  -- ${visible(reason)} (${visible(by)}${undone})`;
    process.stdout.write(`${line}\n`);
  }
  if (revocations.length === 0) process.stderr.write("nothing is revoked\n");
}
