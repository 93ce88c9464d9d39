import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createTestDatabase, describeServers } from "../../pg/embedded-database.ts";
import { connectRaw } from "../../pg/raw-connection.ts";
import { startTestProxy } from "../../pg/running-proxy.ts";
import { choicesFrom, numbers } from "./choices.ts";
import { matrixRows, matrixRule, matrixSql, matrixStatement } from "./condition-matrix.ts";
import { report, runFor } from "./run-length.ts";

const role = "world_tester";

// A condition that counts as safe runs on hidden rows: there every type has values at its edges.
describeServers((server, major) => {
  test("no condition tells which values hidden rows have", { timeout: 2 ** 31 - 1 }, async () => {
    const database = await createTestDatabase({ sql: matrixSql, server });
    const file = { tables: { ruled: { select: { rows: matrixRule } }, open: { select: "all" } } };
    const grants = `grant select on ruled, open to ${role}`;
    const proxy = await startTestProxy({
      database,
      roles: { [role]: { file, grants } },
      users: { alice: { tenant: 1 } },
    });
    const session = await connectRaw(proxy.client("alice"));
    let count = 0;
    await runFor(async (seed) => {
      const statements = fc
        .sample(numbers, { seed, numRuns: 400 })
        .map((list) => matrixStatement(choicesFrom(list)));
      const ask = async (harmless: boolean): Promise<string[][]> => {
        await database.query(`${matrixRows(harmless)} analyze ruled;`);
        const said: string[][] = [];
        for (const { messages } of statements)
          said.push(await session.ask(messages, messages.length === 4 ? 1 : messages.length));
        return said;
      };
      const [harmless, edgy] = [await ask(true), await ask(false)];
      count += statements.length;
      for (const [index, { text }] of statements.entries())
        expect(edgy[index], `seed ${seed}, PostgreSQL ${major}: ${text}`).toEqual(harmless[index]);
    });
    report(`PostgreSQL ${major}: ${count} conditions`);
    session.close();
    await proxy.close();
    await database.close();
  });
});
