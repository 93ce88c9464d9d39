import type { RawConnection } from "../../pg/raw-connection.ts";
import { outcomeOf, type Outcome } from "./running-world.ts";
import { messagesOf, type Statement } from "./statements.ts";
import { onlyName } from "./world-sql.ts";

/** What came of a statement on both sides. */
export type Both = { readonly statement: Statement; readonly ours: Outcome; readonly theirs: Outcome };

type Difference = { readonly why: string; readonly is: (both: Both) => boolean };

/** A refusal of ours in these words, where the server's own rules let the statement run or find something else. */
const refusal = (why: string, code: string, message: RegExp, writes = false): Difference => ({
  why,
  is: ({ ours, statement }) =>
    ours.error?.code === code && message.test(ours.error.message) && (statement.writes || !writes),
});

/** Differences that are meant, each with the reason. All others are findings. */
const meant: readonly Difference[] = [
  refusal(
    "schema.table.column where the table's name could mean something else in the statement",
    "0A000",
    /^the column reference /,
  ),
  refusal(
    "a name that could mean a hidden or masked column of the target, whatever it means",
    "42501",
    /^column reference .* could mean/,
    true,
  ),
  refusal("the same with a qualifier that the target has too", "42703", /^column .* does not exist$/, true),
  refusal(
    "the target's whole row, of which the role does not see every column",
    "42501",
    /^the whole row of /,
    true,
  ),
  refusal(
    "a masked value is not stored in place of the real one",
    "42501",
    /is masked and cannot be used/,
    true,
  ),
  refusal("RETURNING * beside other tables", "0A000", /^RETURNING \*/, true),
  {
    why: "of two changes of one row in one statement the second is not made, and so not checked either",
    is: ({ statement, ours, theirs }) =>
      statement.text.startsWith("with") && ours.error === undefined && theirs.error?.code === "42501",
  },
  {
    why: "RETURNING shows no row that the role cannot see, even if none of its columns",
    is: ({ statement, ours, theirs }) =>
      statement.text.includes("insert into") &&
      statement.text.includes("returning") &&
      theirs.error === undefined &&
      ours.error?.code === "42501" &&
      ours.error.message.endsWith("select.rows"),
  },
  {
    why: "rows are checked as they are stored, so a row that ON CONFLICT leaves out is not checked, and one that it changes is checked as it is then",
    is: ({ statement, ours, theirs }) =>
      statement.text.includes("on conflict") &&
      (theirs.error?.code === "42501" || ours.error?.code === "42501"),
  },
];

/** What two errors may be instead of the same. */
const sameErrors: readonly { readonly why: string; readonly ours: RegExp; readonly theirs: string }[] = [
  {
    why: "rows are checked as they are stored, when constraints, and whether a row is changed twice, have already been looked at",
    ours: /^(?:23|21000)/,
    theirs: "42501",
  },
  {
    why: "a column that no rule lists is refused by name, whether or not it is there",
    ours: /^42501$/,
    theirs: "42703",
  },
];

/** Runs a statement through the proxy and on the native database. */
export async function runBoth(
  served: RawConnection,
  native: RawConnection,
  statement: Statement,
): Promise<Both> {
  return {
    statement,
    ours: await outcome(served, statement),
    theirs: await outcome(native, natively(statement)),
  };
}

async function outcome(session: RawConnection, statement: Statement): Promise<Outcome> {
  const { messages, syncs } = messagesOf(statement);
  return outcomeOf(await session.ask(messages, syncs));
}

/** The statement for the native database, where views stand for ONLY. */
function natively(statement: Statement): Statement {
  const text = statement.text.replaceAll(
    /only ((?:\w+\.)?)(\w+|"[^"]+")/g,
    (_all, schema: string, name: string) => `${schema}"${onlyName(name.replaceAll('"', ""))}"`,
  );
  return { ...statement, text };
}

/**
 * Whether the role got what it gets from the server's own rules, or something that is meant to differ (and why); else
 * it is a finding.
 */
export function verdictOn(both: Both): "same" | "finding" | { readonly why: string } {
  const [ours, theirs] = [both.ours.error?.code, both.theirs.error?.code];
  if (ours !== undefined && theirs !== undefined) {
    if (ours === theirs) return "same";
    const pair = sameErrors.find((each) => each.ours.test(ours) && each.theirs === theirs);
    if (pair !== undefined) return pair;
  }
  if (JSON.stringify(both.ours) === JSON.stringify(both.theirs)) return "same";
  return meant.find(({ is }) => is(both)) ?? "finding";
}
