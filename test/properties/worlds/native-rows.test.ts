import * as fc from "fast-check";
import { expect, test } from "vitest";
import { describeServers } from "../../pg/embedded-database.ts";
import { choicesFrom, numbers, seededNumbers } from "./choices.ts";
import { runBoth, verdictOn } from "./native-rows.ts";
import { report, runFor } from "./run-length.ts";
import { openNativeWorld, serveWorld } from "./running-world.ts";
import { statementOf } from "./statements.ts";
import { makeWorld } from "./world.ts";

describeServers((server, major) => {
  test("rows through the proxy are those of the server's own rules", { timeout: 2 ** 31 - 1 }, async () => {
    const tally = {
      statements: 0,
      worlds: 0,
      errors: new Map<string, string[]>(),
      meant: new Map<string, number>(),
    };
    await runFor(async (seed) => {
      tally.worlds += 1;
      const world = makeWorld(
        choicesFrom(seededNumbers(seed, 2000)),
        choicesFrom(seededNumbers(-seed, 2000)),
        710_000_000,
      );
      await using served = await serveWorld(world, server);
      await using native = await openNativeWorld(world, server);
      const compared = async (list: readonly number[]): Promise<void> => {
        const statement = statementOf(choicesFrom(list), world, major);
        const both = await runBoth(served.session, native.session, statement);
        tally.statements += 1;
        if (both.theirs.error !== undefined) {
          const kind = both.theirs.error.message.replaceAll(/"[^"]*"/g, '"…"');
          tally.errors.set(kind, [...(tally.errors.get(kind) ?? []), statement.text]);
        }
        const verdict = verdictOn(both);
        if (typeof verdict === "object")
          tally.meant.set(verdict.why, (tally.meant.get(verdict.why) ?? 0) + 1);
        if (verdict !== "finding") return;
        expect(both.ours, `world ${seed}, PostgreSQL ${major}, ${statement.way}: ${statement.text}`).toEqual(
          both.theirs,
        );
      };
      await fc.assert(fc.asyncProperty(numbers, compared), { seed, numRuns: 250 });
    });
    report(`PostgreSQL ${major}: ${tally.statements} statements in ${tally.worlds} worlds`, tally);
    const failed = [...tally.errors.values()].flat().length;
    const excused = [...tally.meant.values()].reduce((sum, count) => sum + count, 0);
    // Statements are made to run: a test of errors would say nothing of rows.
    expect(failed / tally.statements).toBeLessThan(0.2);
    expect(excused / tally.statements).toBeLessThan(0.1);
  });
});
