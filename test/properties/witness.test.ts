import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { relationKey, type Catalog, type FunctionFacts, type Relation } from "../../src/catalog/catalog.ts";
import { bindGrants, compileRole, type Grants } from "../../src/policy/grants.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import { judge } from "../../src/rewrite/judge.ts";
import { loadParser, type Parser } from "../../src/sql/parser.ts";
import { walk } from "../../src/sql/walk.ts";
import { missedRelations } from "./independent-relations.ts";
import { open, ruled, select, statement } from "./statements.ts";

const roleYaml = `
role: analyst
database: shop
tables:
  orders: { select: { rows: tenant_id = identity.tenant }, insert: all, update: all, delete: all }
  customers: { select: { columns: [id, tenant_id, name], rows: tenant_id = identity.tenant } }
  products: { select: all }
`;

const relation = (name: string, oid: number): Relation => ({
  oid,
  schema: "public",
  name,
  kind: "table",
  heap: true,
  columns: ["id", "tenant_id", "name"].map((column) => ({
    name: column,
    type: column === "name" ? "text" : "integer",
    typeKind: "b",
    declared: column === "name" ? "text" : "integer",
    notNull: false,
    generated: false,
    virtual: false,
    collation: 0,
    filled: false,
  })),
  primaryKey: ["id"],
  rowTriggers: new Set(),
  insteadRules: new Set(),
});

const functionFacts = (name: string): FunctionFacts => ({
  schema: "pg_catalog",
  name,
  kind: "f",
  volatility: "i",
  leakproof: false,
  securityDefiner: false,
  extension: undefined,
  own: true,
  takes: { least: 0, most: Infinity },
  gives: [],
  result: "text",
  reads: false,
  settings: [],
});

const catalog: Catalog = {
  version: 1,
  serverMajor: 18,
  schemas: new Set(["public"]),
  relations: new Map(
    [...ruled, ...open, "secrets"].map((name, index) => [
      relationKey("public", name),
      relation(name, index + 1),
    ]),
  ),
  functions: new Map(
    ["lower", "count", "sum", "generate_series"].map((name) => [name, [functionFacts(name)]]),
  ),
  operators: new Map(),
  types: new Map(),
  typesByText: new Map(),
  typesByArray: new Map(),
  casts: [],
  builtinTypes: new Set(["text"]),
  tablesOf: new Map(),
  dependents: new Map(),
};

let parser: Parser;
let grants: Grants;

beforeAll(async () => {
  parser = await loadParser(18);
  const { roleFile } = readRoleFile(roleYaml, "roles/analyst.yaml");
  const compiled = compileRole(roleFile!, parser);
  if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.problems));
  grants = bindGrants(compiled.role, {
    name: "alice",
    method: "password",
    attributes: { tenant: 1 },
  });
});

const judged = (text: string): ReturnType<typeof judge> =>
  judge(text, { grants, catalog, parser, searchPath: ["public"], roles: new Set() });

/** Every name in FROM of a text, and whether it stands right inside a sub-select that holds the rule. */
function bareRelations(text: string): string[] {
  const parsed = parser.parse(text);
  if (parsed.kind !== "parsed") throw new Error(`${parsed.kind}: ${text}`);
  const bare: string[] = [];
  for (const { stmt } of parsed.statements)
    walk(stmt, (kind, fields, parent) => {
      if (kind !== "RangeVar") return;
      const { schemaname, relname } = fields as { schemaname?: string; relname: string };
      const inside =
        parent?.kind === "SelectStmt" &&
        JSON.stringify(parent.fields.whereClause ?? "").includes("tenant_id");
      const target = parent?.field === "relation";
      if (schemaname === "public" && !inside && !target) bare.push(relname);
    });
  return bare;
}

describe("judgement of generated statements", () => {
  it("finds every relation that an independent parser finds", () => {
    let compared = 0;
    fc.assert(
      fc.property(statement([...ruled, ...open], 3), (text) => {
        const verdict = judged(text);
        if (verdict.kind === "refuse") return;
        const missed = missedRelations(text, verdict.text, verdict.statements[0]!.relations);
        if (missed === undefined) return;
        compared += 1;
        expect(missed, text).toEqual([]);
      }),
      { numRuns: 3000 },
    );
    // The witness parses about a quarter of what is judged to run.
    expect(compared).toBeGreaterThan(100);
  });

  it("lets no ruled relation stand in FROM without its rule", () => {
    let rewritten = 0;
    fc.assert(
      fc.property(statement([...ruled, ...open], 3), (text) => {
        const verdict = judged(text);
        if (verdict.kind === "refuse") {
          expect(
            [
              "statement_not_supported",
              "column_unknown",
              "column_not_allowed",
              "statement_unparsable",
              "relation_not_allowed",
            ],
            text,
          ).toContain(verdict.problem.code);
          return;
        }
        rewritten += 1;
        for (const name of bareRelations(verdict.text)) expect(open, verdict.text).toContain(name);
      }),
      { numRuns: 3000 },
    );
    expect(rewritten).toBeGreaterThan(1000);
  });

  it("refuses every statement in which a forbidden relation is named outside the scope of a CTE", () => {
    const quiet = select(["secrets"], 2).filter((text) => !text.includes("WITH") && text.includes("secrets"));
    fc.assert(
      fc.property(statement([...open], 2), quiet, (outer, inner) => {
        const text = outer.replace("products", `(${inner}) q, products`);
        fc.pre(text !== outer && !text.includes("WITH") && parser.parse(text).kind === "parsed");
        expect(judged(text).kind, text).toBe("refuse");
      }),
      { numRuns: 1000 },
    );
  });
});
