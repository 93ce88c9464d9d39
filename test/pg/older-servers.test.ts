import { existsSync, readFileSync } from "node:fs";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { applyTo } from "../../src/apply/apply-to.ts";
import { relationKey } from "../../src/catalog/catalog.ts";
import { EmbeddedPostgres } from "../../src/embedded/embedded-postgres.ts";
import { createLogger } from "../../src/log.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import { openCatalogSource } from "../../src/upstream/catalog-source.ts";
import { connectUpstream } from "../../src/upstream/connect.ts";

// Servers that Debian's packages have put here; 18 is the one that all other tests use.
const majors = [15, 16, 17].map((major) => ({ major, installation: `/usr/lib/postgresql/${major}` }));

describe.each(majors)("PostgreSQL $major", ({ major, installation }) => {
  test.skipIf(!existsSync(`${installation}/bin/initdb`))("takes roles, logins and the catalog", async () => {
    await using server = await EmbeddedPostgres.start({ installation });
    const admin = new Client({ connectionString: server.url("postgres") });
    await admin.connect();
    await admin.query(readFileSync(new URL("../../src/demo/shop.sql", import.meta.url), "utf8"));
    await admin.end();

    const upstream = { host: server.host, port: server.port, database: "postgres", tls: undefined };
    const { roleFile } = readRoleFile(
      readFileSync(new URL("../../roles/analyst.yaml", import.meta.url), "utf8"),
      "roles/analyst.yaml",
    );
    const database = {
      name: "shop",
      upstream,
      login: { userTemplate: "rolegate_{role}", password: () => async () => "secret" },
      roles: new Map([["analyst", roleFile!]]),
    };
    expect((await applyTo(server.url("postgres"), database, {})).kind).toBe("applied");
    expect(await applyTo(server.url("postgres"), database, {})).toMatchObject({ statements: [] });

    const login = { user: "rolegate_analyst", password: "secret" };
    const session = { role: "analyst", settings: new Map(), applicationName: "test" };
    const connection = await connectUpstream(upstream, login, session, 5_000);
    expect(connection.parameters.get("server_version")).toMatch(new RegExp(`^${major}\\.`));
    connection.close();

    const source = await openCatalogSource(upstream, login, "analyst", createLogger("silent"));
    expect(source.current().serverMajor).toBe(major);
    expect(source.current().relations.has(relationKey("reporting", "product_sales"))).toBe(true);
    await source.close();
  });
});
