import { Client } from "pg";
import { expect, test } from "vitest";
import { describeServers } from "../../pg/embedded-database.ts";
import { say } from "../../pg/raw-connection.ts";
import { choicesFrom, seededNumbers } from "./choices.ts";
import { callables, catalogQuestion, catalogs, hostileCall } from "./hostile-calls.ts";
import { report, runFor } from "./run-length.ts";
import { serveWorld } from "./running-world.ts";
import { canary, comparable, fill, makeTwins } from "./twin-worlds.ts";

/** Catalogs of the whole server: other tests make databases and roles meanwhile. And what chance alone decides. */
const shared =
  /random|pg_(?:database|stat_database|stat_database_conflicts|authid|auth_members|roles|user|group|shadow|tablespace|shdepend|shdescription|shseclabel|db_role_setting|parameter_acl)\b|information_schema\.\w*(?:role|authorization)\w*/;

/** What tells how many transactions there were on the whole server: its numbers are left out. */
const counting = /pg_(?:class|stat_activity|stat_replication|locks)\b|snapshot|txid|xact|xid|\bage\b/;

/** What an answer says, comparable with another one's. */
function said(lines: readonly string[], text: string): string {
  const whole = comparable(lines, true).join("\n");
  return counting.test(text) ? whole.replaceAll(/\d+/g, "0") : whole;
}

describeServers((server, major) => {
  test("no function and no catalog tells what is hidden", { timeout: 2 ** 31 - 1 }, async () => {
    const tally = { statements: 0, errors: new Map<string, string[]>(), meant: new Map<string, number>() };
    await runFor(async (seed) => {
      const twins = makeTwins(seed);
      await using served = await serveWorld(twins[0], server);
      const { database, session } = served;
      // What another session says, holds and prepares is hidden too.
      const other = new Client({ connectionString: database.adminUrl, application_name: "CANARY" });
      await other.connect();
      await other.query(
        "prepare canary as select 'CANARY'; select pg_advisory_lock(720000001); listen canary",
      );
      const choices = choicesFrom(seededNumbers(seed, 20_000));
      const [functions, relations] = [await callables(database), await catalogs(database)];
      const texts = Array.from({ length: 150 }, (_, index) =>
        index % 3 === 0
          ? catalogQuestion(choices, choices.pick(relations))
          : hostileCall(choices, twins[0], choices.pick(functions)),
      );
      const ask = async (): Promise<string[][]> => {
        const answers: string[][] = [];
        for (const text of texts)
          answers.push(await session.ask([say.query("begin"), say.query(text), say.query("rollback")], 3));
        return answers;
      };
      await fill(database, twins[0], true);
      const [harmless, again] = [await ask(), await ask()];
      await fill(database, twins[1], true);
      const poisoned = await ask();
      await other.end();
      for (const [index, text] of texts.entries()) {
        tally.statements += 1;
        const where = `world ${seed}, PostgreSQL ${major}: ${text}`;
        expect(
          poisoned[index]!.filter((line) => canary.test(line)),
          where,
        ).toEqual([]);
        const [one, same, other] = [harmless, again, poisoned].map((answers) => said(answers[index]!, text));
        if (one === same && !shared.test(text)) expect(other, where).toBe(one);
      }
    }, 0);
    report(`PostgreSQL ${major}: ${tally.statements} calls and questions about catalogs`, tally);
  });
});
