import { randomBytes } from "node:crypto";
import { int16, int32, message, text } from "../wire/writer.ts";

// A refused statement is replaced by one that the server itself fails, so that the aborted transaction, the skipped
// rest of the pipeline and the status in ReadyForQuery are the server's own. Its error is then replaced by ours.

/** Cannot parse in any version of the grammar: fails with 42601. */
export const refusedSql = "/* rolegate: refused */ refused";

/** The name of a statement and of a portal that do not exist, and that no client can guess: 26000, 34000. */
const reserved = `rolegate ${randomBytes(16).toString("hex")}`;

/** Fail where a client's Bind, Describe or Execute must not run. */
export const refusedBind = message("B", text("", "portal"), text(reserved, "statement"), Buffer.alloc(6));
export const refusedDescribeStatement = message("D", Buffer.from("S"), text(reserved, "statement"));
export const refusedDescribePortal = message("D", Buffer.from("P"), text(reserved, "portal"));
export const refusedExecute = message("E", text(reserved, "portal"), Buffer.alloc(4));

/** Fails where a client's FunctionCall must not run: no function has this OID (42883). */
export const refusedFunctionCall = message("F", int32(0), int16(0), int16(0), int16(0));

/** The SQLSTATEs with which these fail; any other error in their place is news of its own, such as a cancel. */
const failures: ReadonlySet<string> = new Set(["42601", "26000", "34000", "42883"]);

/** True if the server's error is the one that we provoked. */
export function isProvoked(state: string | undefined): boolean {
  return state !== undefined && failures.has(state);
}
