import * as fc from "fast-check";
import { expect, test } from "vitest";
import { describeServers } from "../../pg/embedded-database.ts";
import { choicesFrom, numbers } from "./choices.ts";
import { hostileConversation, type Conversation } from "./hostile-conversations.ts";
import { report, runFor } from "./run-length.ts";
import { serveWorld, type ServedWorld } from "./running-world.ts";
import { canary, comparable, fill, makeTwins, meantToTell } from "./twin-worlds.ts";
import type { World } from "./world.ts";

describeServers((server, major) => {
  test("no statement tells what is hidden", { timeout: 2 ** 31 - 1 }, async () => {
    const tally = {
      statements: 0,
      worlds: 0,
      errors: new Map<string, string[]>(),
      meant: new Map<string, number>(),
    };
    await runFor(async (seed) => {
      tally.worlds += 1;
      const twins = makeTwins(seed);
      await using served = await serveWorld(twins[0], server);
      const lists = fc.sample(numbers, { seed, numRuns: 200 });
      const conversations = lists.map((list) => hostileConversation(choicesFrom(list), twins[0], major));
      const statistics = seed % 2 === 0;
      const harmless = await answers(served, twins[0], conversations, statistics);
      const poisoned = await answers(served, twins[1], conversations, statistics);
      for (const [index, { text }] of conversations.entries()) {
        const [one, other] = [harmless[index]!, poisoned[index]!];
        tally.statements += 1;
        note(tally.errors, one, text);
        const why = meantToTell([...one, ...other]);
        if (why !== undefined) tally.meant.set(why, (tally.meant.get(why) ?? 0) + 1);
        const where = `world ${seed}, statement ${index}, PostgreSQL ${major}: ${text}`;
        expect(
          other.filter((line) => canary.test(line)),
          where,
        ).toEqual([]);
        if (why === undefined)
          expect(comparable(other, statistics), where).toEqual(comparable(one, statistics));
      }
    });
    report(`PostgreSQL ${major}: ${tally.statements} hostile conversations in ${tally.worlds} worlds`, tally);
  });
});

/** What a world answers to each conversation, message by message. */
async function answers(
  { database, session }: ServedWorld,
  world: World,
  conversations: readonly Conversation[],
  statistics: boolean,
): Promise<string[][]> {
  await fill(database, world, statistics);
  const said: string[][] = [];
  for (const { messages, syncs } of conversations) said.push(await session.ask(messages, syncs));
  return said;
}

function note(errors: Map<string, string[]>, lines: readonly string[], text: string): void {
  const error = lines.find((line) => line.startsWith("ErrorResponse"));
  if (error === undefined) return;
  const kind = (/M="((?:[^"\\]|\\.)*)"/.exec(error)?.[1] ?? "").replaceAll(/\\"[^"]*\\"/g, '"…"');
  errors.set(kind, [...(errors.get(kind) ?? []), text]);
}
