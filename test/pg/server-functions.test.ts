import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { EmbeddedPostgres } from "../../src/embedded/embedded-postgres.ts";
import { functionGroups } from "../../src/policy/server-functions/function-table.ts";
import { fixtureFile, fixtureSql, readFixture, writeFixture } from "../fixtures/server-functions.ts";

/** What a server has: its functions as the fixture's lines, and what calls of one name can look like. */
type Live = {
  readonly major: number;
  readonly lines: readonly string[];
  readonly results: ReadonlyMap<string, ReadonlySet<string>>;
  readonly varying: ReadonlySet<string>;
};

const live: Live[] = [];
const others: EmbeddedPostgres[] = [];

beforeAll(async () => {
  for (const { server } of inject("servers"))
    if (server !== undefined) live.push(await lookAt({ ...server, database: "postgres" }));
  const named = process.env["POSTGRES_INSTALLATIONS"]?.split(":") ?? [];
  for (const installation of named) {
    const server = await EmbeddedPostgres.start({ installation });
    others.push(server);
    live.push(await lookAt({ connectionString: server.url("postgres") }));
  }
});
afterAll(async () => {
  for (const server of others) await server.stop();
});

async function lookAt(address: ConstructorParameters<typeof Client>[0]): Promise<Live> {
  const client = new Client(address);
  await client.connect();
  const values = async (sql: string) =>
    (await client.query<string[]>({ text: sql, rowMode: "array" })).rows as (readonly string[])[];
  const major = Math.floor(Number((await values("show server_version_num"))[0]![0]) / 10_000);
  const lines = (await values(fixtureSql)).map(([line = ""]) => line);
  const own = "p.oid < 16384 and p.pronamespace = 'pg_catalog'::regnamespace";
  const results = await values(
    `select p.proname, (p.prorettype::regtype)::text || case when p.proretset then ' set' else '' end
       from pg_proc p where ${own}`,
  );
  const varying = await values(
    `select p.proname from pg_proc p where ${own} and (p.pronargdefaults > 0 or p.provariadic <> 0)`,
  );
  await client.end();
  const byName = Map.groupBy(results, ([name = ""]) => name);
  return {
    major,
    lines,
    results: new Map([...byName].map(([name, rows]) => [name, new Set(rows.map(([, type = ""]) => type))])),
    varying: new Set(varying.map(([name = ""]) => name)),
  };
}

// A minor release can bring one, so the servers here may have fewer.
test("the servers here have no functions but those that the fixture says", async () => {
  expect(live.length).toBeGreaterThan(0);
  const majors = new Map(readFixture());
  for (const { major, lines } of live)
    for (const line of lines)
      majors.set(
        line,
        [...new Set([...(majors.get(line) ?? []), major])].toSorted((a, b) => a - b),
      );
  await expect(writeFixture(majors)).toMatchFileSnapshot(fileURLToPath(fixtureFile));
});

const entries = functionGroups.flatMap(({ nullOf, names }) =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, nullOf] as const),
);

describe("the table of functions", () => {
  test("gives a NULL of the type that the function gives", () => {
    const long: Readonly<Record<string, string>> = {
      int8: "bigint",
      "int4[]": "integer[]",
      int4: "integer",
      float8: "double precision",
      timestamptz: "timestamp with time zone",
    };
    const wrong = live.flatMap(({ results }) =>
      entries
        .filter(([name, nullOf]) => nullOf !== undefined && results.has(name))
        .filter(([name, nullOf]) =>
          [...results.get(name)!].some((type) => type !== (long[nullOf!] ?? nullOf)),
        ),
    );
    expect(wrong).toEqual([]);
  });

  // A call with two arguments could otherwise mean a function that is declared with three.
  test("tells overloads apart by the number of arguments only where that is certain", () => {
    const told = entries.flatMap(([name]) => (name.includes("/") ? [name.split("/")[0]!] : []));
    expect(told.length).toBeGreaterThan(0);
    expect(live.flatMap(({ varying }) => told.filter((name) => varying.has(name)))).toEqual([]);
  });
});
