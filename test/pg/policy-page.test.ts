import { DatabaseError } from "pg";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { policyExamples } from "../unit/page-examples.ts";
import { createTestDatabase } from "./embedded-database.ts";
import { psqlOutput, shownError } from "./psql-output.ts";
import { startTestProxy } from "./running-proxy.ts";

/** Whoever types in the examples, as the page introduces her. */
const alice = { tenant: 1, regions: ["north", "west"] };

const { database: schema, examples } = policyExamples();

// The database lets the roles do all that there is: what holds in the examples is the proxy alone.
const granted = (role: string): string => `
  grant create, usage on schema public, reporting to ${role};
  grant all on all tables in schema public, reporting to ${role};
  grant all on all sequences in schema public to ${role};`;

describe("docs/policy.md, run", () => {
  test.each(examples.filter(({ steps }) => steps.length > 0))("$name", async ({ roleFile, steps }) => {
    const database = await createTestDatabase({ sql: schema });
    const { role } = parse(roleFile) as { role: string };
    const proxy = await startTestProxy({
      database,
      roles: {
        [role]: {
          file: roleFile.replace("database: shop", `database: ${database.name}`),
          grants: granted(role),
        },
      },
      users: { alice },
    });
    try {
      const client = await proxy.connect("alice");
      for (const { sql, answer } of steps) {
        const shown = await psqlOutput(client, sql).catch((error: unknown) => {
          if (error instanceof DatabaseError) return shownError(error);
          throw error;
        });
        // The failure shows the lines to change in the page.
        expect(`shop=> ${sql}\n${shown.replaceAll(database.name, "shop")}`).toBe(`shop=> ${sql}\n${answer}`);
      }
    } finally {
      await proxy.close();
      await database.close();
    }
  });
});
