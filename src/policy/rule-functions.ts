import { classesOf } from "./server-functions/function-table.ts";
import { functionClasses } from "./server-functions/function-group.ts";

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/** Each call gives something else: who asks often enough sees every row, and the mean of a noisy mask is the value. */
const chance = words(`
  array_sample array_shuffle bernoulli gen_random_uuid random random_normal system uuidv4 uuidv7`);

/** The client chooses what they give: by connecting again, by its transactions, by what it sends beside. */
const chosen = words(`
  current_query inet_client_addr inet_client_port inet_server_addr inet_server_port pg_backend_pid pg_client_encoding
  pg_current_snapshot pg_current_xact_id pg_current_xact_id_if_assigned pg_is_other_temp_schema pg_listening_channels
  pg_my_temp_schema pg_trigger_depth txid_current txid_current_if_assigned txid_current_snapshot`);

/** Treatments of classes that a rule has no part in; of those that their arguments decide it may only read settings. */
const unfit: ReadonlySet<string> = new Set(["never", "named", "judged"]);

/**
 * Why one of the server's own functions cannot stand in a rule: what it gives is not told by the row and the identity.
 * Undefined: it can.
 */
export function unfitForRules(name: string): string | undefined {
  if (chance.has(name)) return "a function that gives the same for the same row";
  if (chosen.has(name)) return "a function whose value the client does not choose";
  const closed = classesOf(name).find((kind) => kind !== "setting" && unfit.has(functionClasses[kind]));
  return closed === undefined ? undefined : `a function that only computes, not of the kind "${closed}"`;
}

/**
 * The start of the transaction. A client that keeps one open would keep `expires_at > now()` true for as long as it likes,
 * so in rules the start of the statement stands in its place.
 */
export const transactionClocks: ReadonlySet<string> = new Set(["now", "transaction_timestamp"]);

export const statementClock = "pg_catalog.statement_timestamp";

/** The same in the grammar's own words, and what is read in their place. */
export const transactionWords: ReadonlyMap<string, string> = new Map([
  ["SVFOP_CURRENT_DATE", `${statementClock}()::pg_catalog.date`],
  ["SVFOP_CURRENT_TIME", `${statementClock}()::pg_catalog.timetz`],
  ["SVFOP_CURRENT_TIMESTAMP", `${statementClock}()`],
  ["SVFOP_LOCALTIME", `${statementClock}()::pg_catalog.time`],
  ["SVFOP_LOCALTIMESTAMP", `${statementClock}()::pg_catalog.timestamp`],
]);

/** Words that are read as the day on which a statement is prepared, which may be long before it runs. */
export const dayWords = /^\s*(?:now|today|tomorrow|yesterday)(?:\s.*)?$/i;

/** Settings that the client chooses for each session or transaction, whatever is pinned. */
const clientSettings =
  /^(?:application_name|client_encoding|(?:default_)?transaction_(?:deferrable|isolation|read_only))$/;

/** Why `current_setting` of this name cannot stand in a rule; undefined: it can. */
export function unfitSetting(name: string | undefined): string | undefined {
  if (name === undefined) return "a setting by a name that stands in the rule";
  return clientSettings.test(name.toLowerCase()) ? "a setting that the client does not choose" : undefined;
}
