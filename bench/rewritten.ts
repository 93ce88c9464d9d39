import { writeFileSync } from "node:fs";
import { Client } from "pg";
import { readCatalog } from "../src/catalog/load.ts";
import { EmbeddedPostgres } from "../src/embedded/embedded-postgres.ts";
import { bindGrants, compileRole } from "../src/policy/grants.ts";
import { readRoleFile } from "../src/policy/read.ts";
import { judge, type JudgeContext } from "../src/rewrite/judge.ts";
import { loadParser } from "../src/sql/parser.ts";
import { rewrittenQueries, tables } from "./rewritten-queries.ts";
import { median } from "./statistics.ts";

const roleYaml = `
role: bench
database: postgres
tables:
  customers: { select: { mask: { email: "regexp_replace(email, '^[^@]+', '***')" }, rows: tenant_id = identity.tenant } }
  orders:
    select: { rows: tenant_id = identity.tenant }
    insert: { check: tenant_id = identity.tenant }
    update: { rows: tenant_id = identity.tenant }
    delete: { rows: tenant_id = identity.tenant }
`;

/** Milliseconds that the server says it took, to plan and to run. */
type Taken = { readonly plan: number; readonly run: number };

/** Runs of a pair in a round: as many as take about this long, in milliseconds. */
const roundTime = 400;

/**
 * What the database needs for a rewritten query, against the same query with its rule written by hand: planning and
 * execution as EXPLAIN ANALYZE measures them, the two in turns. Prints the medians and their ratio.
 */
export async function runRewritten(rounds: number, json: string | undefined): Promise<void> {
  const server = await EmbeddedPostgres.start({
    settings: { jit: "off", max_parallel_workers_per_gather: "0", shared_buffers: "512MB" },
  });
  await using _ = server;
  const client = new Client({ connectionString: server.url("postgres") });
  await client.connect();
  try {
    for (const statement of tables.split(";")) await client.query(statement);
    const context = await contextOf(server.url("postgres"));
    console.log(`${"query".padEnd(58)}  by hand ms  rewritten ms  ratio  planning  execution`);
    const results = [];
    for (const { name, client: written, byHand } of rewrittenQueries) {
      const verdict = judge(written, context);
      if (verdict.kind === "refuse") throw new Error(`${name}: ${verdict.problem.message}`);
      const pair = { byHand, rewritten: verdict.text };
      const taken = await compare(client, pair, rounds);
      const of = (which: keyof typeof pair, part: (time: Taken) => number) => median(taken[which].map(part));
      const ratio = (part: (time: Taken) => number) => of("rewritten", part) / of("byHand", part);
      const sum = ({ plan, run }: Taken) => plan + run;
      const result = {
        name,
        byHand: of("byHand", sum),
        rewritten: of("rewritten", sum),
        ratio: ratio(sum),
        planning: ratio(({ plan }) => plan),
        execution: ratio(({ run }) => run),
        sent: verdict.text,
      };
      results.push(result);
      console.log(
        name.padEnd(58) +
          result.byHand.toFixed(3).padStart(12) +
          result.rewritten.toFixed(3).padStart(14) +
          [result.ratio, result.planning, result.execution]
            .map((value, at) => value.toFixed(2).padStart([7, 10, 11][at]!))
            .join(""),
      );
    }
    if (json !== undefined) writeFileSync(json, JSON.stringify(results, undefined, 2));
  } finally {
    await client.end();
  }
}

async function compare(
  client: Client,
  pair: { readonly byHand: string; readonly rewritten: string },
  rounds: number,
): Promise<Record<keyof typeof pair, Taken[]>> {
  const taken = { byHand: [] as Taken[], rewritten: [] as Taken[] };
  await client.query("BEGIN");
  const once = async (text: string): Promise<Taken> => {
    await client.query("SAVEPOINT s");
    const { rows } = await client.query<{ "QUERY PLAN": [Record<string, number>] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`,
    );
    await client.query("ROLLBACK TO s");
    const [plan] = rows[0]!["QUERY PLAN"];
    return { plan: plan["Planning Time"]!, run: plan["Execution Time"]! };
  };
  const begun = performance.now();
  for (let warmUp = 0; warmUp < 3; warmUp++) for (const text of Object.values(pair)) await once(text);
  const runs = Math.max(7, Math.min(500, Math.floor((3 * roundTime) / (performance.now() - begun))));
  for (let run = 0; run < rounds * runs; run++) {
    const order = run % 2 === 0 ? (["byHand", "rewritten"] as const) : (["rewritten", "byHand"] as const);
    for (const which of order) taken[which].push(await once(pair[which]));
  }
  await client.query("ROLLBACK");
  return taken;
}

async function contextOf(url: string): Promise<JudgeContext> {
  const client = new Client({ connectionString: url, options: "-c search_path=pg_catalog,pg_temp" });
  await client.connect();
  const { catalog } = await readCatalog(async (text) => {
    const { rows } = await client.query<string[]>({ text, rowMode: "array" });
    return rows[0]!;
  });
  await client.end();
  const parser = await loadParser(catalog.serverMajor);
  const { roleFile } = readRoleFile(roleYaml, "bench.yaml");
  const compiled = compileRole(roleFile!, parser);
  if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.problems));
  const identity = {
    name: "bench",
    method: "password",
    attributes: { tenant: 7 },
    credential: { kind: "password" },
    signedInAt: 0,
    mfa: false,
    expiresAt: undefined,
  } as const;
  const grants = bindGrants(compiled.role, identity);
  return { grants, catalog, parser, searchPath: ["public"], roles: new Set() };
}
