import { formatEntry } from "../audit/format.ts";
import { search } from "../audit/search.ts";
import { ada, alice, sam } from "./identities.ts";
import { showAnswer } from "./show.ts";
import type { Demo } from "./start.ts";
import { visit, type Answer, type Visitor } from "./visitor.ts";

type Row = Readonly<Record<string, string>>;

const sameQuery = "select id, tenant_id, name, email from customers order by id limit 3";

/**
 * Shows what rolegate does, with real clients, and looks at each answer itself.
 * @param print takes a line
 * @returns what was not as it should be
 */
export async function tour(demo: Demo, print: (line: string) => void): Promise<string[]> {
  const wrong: string[] = [];
  const expect = (what: string, holds: boolean) => {
    if (!holds) wrong.push(what);
  };
  const visitors = {
    alice: await visit(demo.port, alice.user, alice.password),
    sam: await visit(demo.port, sam.user, demo.configuration.token),
    ada: await visit(demo.port, ada.user, ada.password),
  };
  const show = async (visitor: Visitor, sql: string): Promise<Answer> => {
    const answer = await visitor.ask(sql);
    for (const line of showAnswer(answer)) print(`  ${line}`);
    print("");
    return answer;
  };

  print(
    "1. The same query by three people: their own tenant's rows, and e-mail addresses as their role may see them",
  );
  print(`   ${sameQuery};`);
  print("");
  print(`  ${alice.introduction}`);
  const ofAlice = rowsOf(await show(visitors.alice, sameQuery));
  expect(
    "alice sees three customers of tenant 1",
    ofAlice.length === 3 && ofAlice.every((row) => row["tenant_id"] === "1"),
  );
  expect(
    "alice sees masked addresses",
    ofAlice.every((row) => row["email"]?.startsWith("***@") === true),
  );
  print(`  ${sam.introduction}`);
  const ofSam = rowsOf(await show(visitors.sam, sameQuery));
  expect(
    "sam sees three customers of tenant 2",
    ofSam.length === 3 && ofSam.every((row) => row["tenant_id"] === "2"),
  );
  expect(
    "sam sees whole addresses",
    ofSam.every((row) => /^[a-z]/.test(row["email"] ?? "")),
  );
  print(`  ${ada.introduction}`);
  const ofAda = rowsOf(await show(visitors.ada, sameQuery));
  expect("ada sees customers of both tenants", new Set(ofAda.map((row) => row["tenant_id"])).size === 2);

  print("2. What a role may not do is refused with the reason, and the session goes on");
  const refused = async (name: "alice" | "sam", sql: string, sqlstate: string, explained: boolean) => {
    print(`   ${name}: ${sql};`);
    const answer = await show(visitors[name], sql);
    const { code, detail, hint } = answer.kind === "error" ? answer.error : {};
    expect(`\`${sql}\` is refused with ${sqlstate}`, code === sqlstate);
    expect(
      `\`${sql}\` is refused with a detail and a hint`,
      !explained || (detail !== undefined && hint !== undefined),
    );
  };
  await refused("alice", "select name, ssn from customers", "42703", false);
  await refused("alice", "select * from tenants", "42501", true);
  await refused(
    "alice",
    "insert into orders (customer_id, tenant_id, amount) values (2, 2, 10)",
    "42501",
    false,
  );
  await refused("sam", "delete from orders where id = 1", "42501", true);
  print("   alice: show rolegate.role;");
  expect(
    "the session goes on",
    rowsOf(await show(visitors.alice, "show rolegate.role"))[0]?.["rolegate.role"] === "analyst",
  );

  await Promise.all(Object.values(visitors).map((visitor) => visitor.leave()));
  print("3. Every statement is on record, who asked and what became of it");
  const record = await readRecord(demo.configuration.auditDirectory);
  const statements = record.filter(({ kind }) => kind === "statement");
  for (const { line } of statements) print(`  ${line}`);
  print("");
  expect("all eight statements are on record", statements.length === 8);
  expect(
    "who did what is on record",
    /alice\/analyst .* refused 42501 .* select \* from tenants/.test(text(statements)),
  );
  return wrong;
}

function text(record: readonly { readonly line: string }[]): string {
  return record.map(({ line }) => line).join("\n");
}

function rowsOf(answer: Answer): Row[] {
  if (answer.kind === "error") return [];
  return answer.rows.map((row) =>
    Object.fromEntries(answer.columns.map((name, index) => [name, row[index] ?? ""])),
  );
}

async function readRecord(directory: string): Promise<{ kind: string; line: string }[]> {
  const all = {
    since: undefined,
    until: undefined,
    identity: undefined,
    role: undefined,
    relation: undefined,
  } as const;
  const filter = { ...all, kind: undefined, verdict: undefined, session: undefined, grep: undefined };
  const found = [];
  for await (const group of search({ directory, filter }))
    for (const entry of group)
      if (entry.kind !== "torn")
        found.push({ kind: entry.kind, line: formatEntry(entry, process.stdout.columns) });
  return found;
}
