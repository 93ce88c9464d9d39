import { describe, expect, it } from "vitest";
import { RolegateError } from "../../../src/errors.ts";
import { loadParser, parserMajors } from "../../../src/sql/parser.ts";
import { children, nodeFields, open, walk } from "../../../src/sql/walk.ts";
import { statements } from "./statements.ts";

const trees = async (major: number, sql: string) => {
  const result = (await loadParser(major)).parse(sql);
  if (result.kind !== "parsed") throw new Error(`${sql}: ${JSON.stringify(result)}`);
  return result.statements.map(({ stmt }) => stmt);
};

const code = (run: () => void) => {
  try {
    run();
  } catch (error) {
    return error instanceof RolegateError ? error.problem.code : error;
  }
  return undefined;
};

const visit = () => undefined;

describe("walk", () => {
  it.each(parserMajors)("knows every node and field of %i's grammar", async (major) => {
    const parser = await loadParser(major);
    const unknown: string[] = [];
    for (const sql of statements) {
      const result = parser.parse(sql);
      if (result.kind !== "parsed") continue;
      const nodes = result.statements.map((statement) => ({ RawStmt: statement }));
      if (code(() => walk(nodes, visit)) !== undefined) unknown.push(sql);
    }
    expect(unknown).toEqual([]);
  });

  it("has no kind that no grammar makes, and no statement that none accepts", async () => {
    const seen = new Set<string>();
    const refused = new Set(statements);
    for (const major of parserMajors) {
      const parser = await loadParser(major);
      for (const sql of statements) {
        const result = parser.parse(sql);
        if (result.kind !== "parsed") continue;
        refused.delete(sql);
        const nodes = result.statements.map((statement) => ({ RawStmt: statement }));
        walk(nodes, (kind) => void seen.add(kind));
      }
    }
    expect([...refused]).toEqual([]);
    expect([...nodeFields.keys()].filter((kind) => !seen.has(kind))).toEqual([]);
  });

  it("finds relations wherever a table can hide", async () => {
    const sql = `
      WITH c AS (DELETE FROM t1 USING t2 RETURNING (SELECT max(a) FROM t3))
      SELECT DISTINCT ON ((SELECT 1 FROM t4)) sum(a) FILTER (WHERE EXISTS (TABLE t5)) OVER (PARTITION BY (SELECT 1 FROM t6)),
        CASE WHEN a IN (SELECT b FROM t7) THEN 1 END, ARRAY(SELECT 1 FROM t8), (SELECT t9 FROM t9)
      FROM ONLY (t10) TABLESAMPLE system ((SELECT 1 FROM t11)), LATERAL (SELECT 1 FROM t12) l,
        ROWS FROM (f((SELECT 1 FROM t13))) r, XMLTABLE('/x' PASSING (SELECT x FROM t14) COLUMNS a int DEFAULT (SELECT 1 FROM t15)),
        (t16 JOIN t17 ON (SELECT true FROM t18))
      GROUP BY GROUPING SETS ((SELECT 1 FROM t19)) HAVING (SELECT true FROM t20)
      WINDOW w AS (ORDER BY (SELECT 1 FROM t21))
      UNION VALUES ((SELECT 1 FROM t22)) ORDER BY 1 LIMIT (SELECT 1 FROM t23) OFFSET (SELECT 1 FROM t24)`;
    for (const major of parserMajors) {
      const found = new Set<unknown>();
      const text = sql.replace("ONLY (t10)", "ONLY t10");
      walk(
        await trees(major, text),
        (kind, fields) => void (kind === "RangeVar" && found.add(fields["relname"])),
      );
      expect(found.size).toBe(24);
    }
  });

  it("refuses a kind or a field that the table lacks", () => {
    expect(code(() => walk({ FutureStmt: {} }, visit))).toBe("statement_not_supported");
    expect(code(() => walk({ SelectStmt: { futureClause: [] } }, visit))).toBe("statement_not_supported");
    expect(code(() => walk({ SelectStmt: { whereClause: { FutureExpr: {} } } }, visit))).toBe(
      "statement_not_supported",
    );
    expect(code(() => walk({ SelectStmt: { op: { RangeVar: {} } } }, visit))).toBe("statement_not_supported");
    expect(code(() => walk({ SelectStmt: { targetList: { RangeVar: {} } } }, visit))).toBe(
      "statement_not_supported",
    );
    expect(code(() => walk({ SelectStmt: {}, RangeVar: {} }, visit))).toBe("statement_not_supported");
    expect(code(() => walk({ SelectStmt: { larg: 1 } }, visit))).toBe("statement_not_supported");
    expect(code(() => walk({ toString: {} }, visit))).toBe("statement_not_supported");
    expect(code(() => walk("SelectStmt", visit))).toBe("statement_not_supported");
  });

  it("goes parents first, tells the parent's field, and stays out where told", async () => {
    const [select] = await trees(18, "select a from t where exists (select 1 from u)");
    const seen: string[] = [];
    walk(select, (kind, _, parent) => {
      seen.push(parent ? `${parent.kind}.${parent.field}>${kind}` : kind);
      return kind !== "SubLink";
    });
    expect(seen).toEqual([
      "SelectStmt",
      "SelectStmt.targetList>ResTarget",
      "ResTarget.val>ColumnRef",
      "ColumnRef.fields>String",
      "SelectStmt.fromClause>RangeVar",
      "SelectStmt.whereClause>SubLink",
    ]);
  });

  it("takes the empty object of DISTINCT for no node, and a field of one kind for that kind", async () => {
    const [select] = await trees(18, "select distinct a into t from b");
    const opened = open(select);
    expect(opened && children(opened).map(({ field, kind }) => `${field}:${kind}`)).toEqual([
      "intoClause:IntoClause",
      "targetList:ResTarget",
      "fromClause:RangeVar",
    ]);
  });
});
