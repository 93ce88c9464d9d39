import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { tableUnder } from "./markdown-table.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

/** Client as docs/clients.md calls it → the package that test/clients pins. */
const packages: Readonly<Record<string, string>> = {
  "node-postgres": "pg",
  "postgres.js": "postgres",
  Drizzle: "drizzle-orm",
  Kysely: "kysely",
  Knex: "knex",
  TypeORM: "typeorm",
  Sequelize: "sequelize",
  MikroORM: "@mikro-orm/postgresql",
  Prisma: "@prisma/adapter-pg",
};

/** Client → versions that are pinned. */
function pinned(): ReadonlyMap<string, readonly string[]> {
  const { dependencies } = JSON.parse(read("test/clients/node/package.json")) as {
    dependencies: Record<string, string>;
  };
  const ofNode = Object.entries(packages).map(
    ([client, name]) => [client, [dependencies[name] ?? `no ${name}`]] as const,
  );
  const python = ["psycopg", "psycopg2-binary", "asyncpg", "SQLAlchemy", "Django"].map((name) => {
    const [, version] = new RegExp(`^${name}==(.*)$`, "m").exec(
      read("test/clients/python/requirements.txt"),
    )!;
    return [name.replace("-binary", ""), [version!]] as const;
  });
  const go = ["jackc/pgx/v5", "lib/pq"].map((module) => {
    const versions = ["go.mod", "go-1.19.mod"].map(
      (file) => new RegExp(`${module} v(\\S+)`).exec(read(`test/clients/go/${file}`))![1]!,
    );
    return [module === "lib/pq" ? module : "pgx", versions] as const;
  });
  const [, jar] = /postgresql:postgresql:(\S+)/.exec(read("test/clients/install"))!;
  const [, programs] = /embedded-postgres==(\S+)/.exec(
    read("test/clients/python/requirements-programs.txt"),
  )!;
  return new Map<string, readonly string[]>([
    ...ofNode,
    ...python,
    ...go,
    ["pgjdbc", [jar!]],
    ["psql, pg_dump, pgbench", [programs!]],
  ]);
}

test("docs/clients.md gives the versions that test/clients pins", () => {
  const rows = tableUnder(path.join(root, "docs/clients.md"), "## What was tried");
  const missing = [...pinned()].flatMap(([client, versions]) => {
    const told = rows.filter(([name]) => name === client).map((row) => row.join(" "));
    return versions
      .filter((version) => !told.some((row) => row.includes(version)))
      .map((version) => `${client} ${version}`);
  });
  expect(missing).toEqual([]);
});
