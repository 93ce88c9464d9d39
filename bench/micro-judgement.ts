import type { Catalog } from "../src/catalog/catalog.ts";
import { bindGrants, compileRole, type Grants } from "../src/policy/grants.ts";
import { readRoleFile } from "../src/policy/read.ts";
import { applyEdits } from "../src/rewrite/text/apply-edits.ts";
import { judge } from "../src/rewrite/judge.ts";
import { beginJudgement, type JudgeContext } from "../src/rewrite/judgement.ts";
import { conditionsOf, rewriteRead } from "../src/rewrite/reading/reads.ts";
import { surveyStatement } from "../src/rewrite/survey.ts";
import { parseShort } from "../src/sql/parse-short.ts";
import { loadParser, type Parser } from "../src/sql/parser.ts";
import { VerdictCache } from "../src/session/verdict-cache.ts";
import { roles } from "./database.ts";
import { cost } from "./micro-clock.ts";
import type { Cost } from "./micro.ts";
import { median } from "./statistics.ts";
import { roleFile } from "./role-files.ts";

const select = "SELECT abalance FROM pgbench_accounts WHERE aid = $1;";

/** What ORMs write: every name quoted and qualified, every column aliased. */
const orm =
  'SELECT "a"."aid" AS "a_aid", "a"."bid" AS "a_bid", "a"."abalance" AS "a_abalance", "b"."bid" AS "b_bid", ' +
  '"b"."bbalance" AS "b_bbalance" FROM "public"."pgbench_accounts" "a" LEFT JOIN "public"."pgbench_branches" "b" ' +
  'ON "b"."bid" = "a"."bid" WHERE "a"."aid" = $1 ORDER BY "a"."aid" ASC LIMIT 20';

const texts = { "pgbench -S": select, "an ORM's join": orm };

/** A text that the parser has just seen: nothing remembers it, but code and memory are warm. */
export async function parseCosts(serverMajor: number): Promise<Cost[]> {
  const parser = await loadParser(serverMajor);
  return Object.entries(texts).map(([name, text]) =>
    cost(`parse, ${name}, ${text.length} bytes`, () => parser.parse(text)),
  );
}

/** A verdict on a text that is not known yet, what every new text costs once, and on one that is. */
export async function judgementCosts(catalog: Catalog): Promise<Cost[]> {
  const parser = await loadParser(catalog.serverMajor);
  return Object.values(roles).flatMap((role) => {
    const grants = grantsOf(role, parser);
    const context = { grants, catalog, parser, searchPath: [role, "public"], roles: new Set([role]) };
    return Object.entries(texts).flatMap(([name, text]) => {
      const bytes = Buffer.from(text);
      const verdict = judge(text, context);
      if (verdict.kind === "refuse") throw new Error(`${role}, ${name}: ${verdict.problem.message}`);
      const rule = role === roles.rows ? "row rule" : "select: all";
      const counts = { hits: 0, misses: 0, entries: 0 };
      const scope = new VerdictCache({ judge, failed: noFailure, counts }).scope(context);
      scope.judge(bytes.toString("latin1"));
      return [
        cost(`judge, ${name}, ${rule}`, () => judge(text, context)),
        ...stepCosts(`${name}, ${rule}`, text, context),
        cost(`known verdict, ${name}, ${rule}`, () => scope.known(bytes.toString("latin1", 0, bytes.length))),
      ];
    });
  });
}

/** The steps of a judgement of one SELECT, in their order. */
const steps = ["parse", "survey", "rewrite", "parse again and compare"] as const;

/** What each step takes, measured in its place: the sum is a little less than what judging takes. */
function stepCosts(what: string, text: string, context: JudgeContext): Cost[] {
  const times = steps.map((): number[] => []);
  const run = (): void => {
    const marks = [performance.now()];
    const parsed = parseShort(text, context.parser);
    if (parsed.kind !== "parsed") throw new Error(`${what}: ${parsed.kind}`);
    marks.push(performance.now());
    const judgement = beginJudgement(context, parsed.short);
    const survey = surveyStatement(judgement, parsed.statements[0]!.stmt!);
    marks.push(performance.now());
    const conditions = conditionsOf(judgement, survey);
    for (const read of survey.reads) rewriteRead(judgement, read, conditions, survey);
    marks.push(performance.now());
    applyEdits(judgement, parsed.short, parsed.statements);
    marks.push(performance.now());
    for (const [step, micros] of times.entries()) micros.push((marks[step + 1]! - marks[step]!) * 1000);
  };
  for (const end = performance.now() + 300; performance.now() < end;) run();
  for (const micros of times) micros.length = 0;
  for (let count = 0; count < 5_000; count++) run();
  return steps.map((step, index) => ({
    part: `  ${step}, ${what}`,
    median: median(times[index]!),
    least: times[index]!.reduce((least, micros) => Math.min(least, micros)),
  }));
}

function noFailure(error: unknown): never {
  throw error;
}

function grantsOf(name: string, parser: Parser): Grants {
  const { roleFile: file, problems } = readRoleFile(roleFile(name), `${name}.yaml`);
  if (file === undefined) throw new Error(problems.map(({ message }) => message).join(", "));
  const compiled = compileRole(file, parser);
  if (compiled.kind === "refused") throw new Error(compiled.problems.map(({ found }) => found).join(", "));
  return bindGrants(compiled.role, {
    name: "bench",
    method: "password",
    attributes: { branch: 1 },
  });
}
