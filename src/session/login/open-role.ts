import { refuse, RolegateError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Metrics } from "../../metrics.ts";
import { bindGrants, type Grants } from "../../policy/grants.ts";
import { movesRules } from "../../rewrite/session/settings.ts";
import { connectUpstream } from "../../upstream/connect.ts";
import type { UpstreamConnection } from "../../upstream/connection.ts";
import { loginFor, type Database } from "../database.ts";
import type { OpenRole } from "../role-change.ts";
import { parseSearchPath } from "../../sql/search-path.ts";
import { askedSettings, keptNotices, sessionSettings } from "./startup-settings.ts";

export type RoleRequest = {
  readonly database: Database;
  readonly identity: Identity;
  readonly role: string;
  /** What the client asked for in its startup packet, and what it has changed since. */
  readonly settings: ReadonlyMap<string, string>;
  readonly applicationName: string;
  /** Milliseconds. */
  readonly deadline: number;
};

/**
 * Binds a role's rules to the identity and opens a connection with the role in force.
 * @throws RolegateError no_role, attribute_missing, setting_not_allowed, setting_invalid, upstream_unavailable
 */
export async function openRole(request: RoleRequest, metrics: Metrics): Promise<OpenRole> {
  const { database, identity, role } = request;
  const rules = database.roles.get(role);
  if (rules === undefined)
    throw new RolegateError({ code: "no_role", message: `role "${role}" has no rules` });
  const grants = bindGrants(rules, identity);
  const premises = { grants, catalog: database.catalog };
  const { settings, kept } = sessionSettings(request.settings, premises, identity.name);
  const connection = await connect(request, grants, settings, [...askedSettings(premises)], metrics);
  const searchPath = parseSearchPath(connection.settings.get("search_path") ?? "", role);
  if (searchPath !== undefined) {
    const chosen = [...request.settings.keys()].filter((name) => !kept.has(name) && movesRules(name));
    const notices = keptNotices(kept, connection.settings, role);
    return { name: role, grants, connection, searchPath, wanted: request.settings, chosen, notices };
  }
  connection.close();
  throw new RolegateError({ code: "setting_not_allowed", message: "the search_path cannot be read" });
}

async function connect(
  { database, role, applicationName, deadline }: RoleRequest,
  { unrestricted }: Grants,
  settings: ReadonlyMap<string, string>,
  asked: readonly string[],
  metrics: Metrics,
): Promise<UpstreamConnection> {
  const { upstream } = database.config;
  const login = loginFor(database.config, role);
  try {
    const opened = await connectUpstream(
      upstream,
      login,
      { role, unrestricted: unrestricted !== undefined, settings, applicationName, asked },
      deadline,
    );
    metrics.upstreamConnects.succeeded++;
    return opened;
  } catch (error) {
    refuseSetting(error, settings);
    metrics.upstreamConnects.failed++;
    throw error;
  }
}

/** invalid_parameter_value, and the same of a value's form or range. */
const invalidValue: ReadonlySet<unknown> = new Set(["22023", "22P02", "22003"]);

/**
 * The server refuses a value that the client chose: the client's mistake, and no sign that the database is away. The
 * words are ours, and the name is one that was asked for: what a server says before the login is done may be a lie.
 */
function refuseSetting(error: unknown, settings: ReadonlyMap<string, string>): void {
  if (!(error instanceof RolegateError) || !(error.cause instanceof Error)) return;
  const { message, code } = error.cause as Error & { readonly code?: unknown };
  if (!invalidValue.has(code)) return;
  const said = message.toLowerCase();
  const name = [...settings.keys()].find((setting) => said.includes(`"${setting.toLowerCase()}"`));
  if (name === undefined) return;
  refuse("setting_invalid", `the server does not accept the value of "${name}"`);
}

/** Settings that the server reports and that a change of role carries over; the rest begins anew, as documented. */
const carriedOver = [
  "DateStyle",
  "IntervalStyle",
  "TimeZone",
  "default_transaction_read_only",
  "search_path",
];

/**
 * The settings for another role of the same session: those that were asked for before, and what was changed since. One that
 * the role at hand keeps as the database has it stays a wish, for a role that does not.
 */
export function carrySettings(
  { wanted, connection }: OpenRole,
  now: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const settings = new Map(wanted);
  for (const name of carriedOver) {
    const value = now.get(name);
    if (value !== undefined && value !== connection.parameters.get(name))
      settings.set(name.toLowerCase(), value);
  }
  return settings;
}
