import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestReader } from "../../src/store/requests.ts";
import { openRequestStage, requestLines, type RequestStage } from "./request-stage.ts";

let stage: RequestStage;
beforeAll(async () => {
  stage = await openRequestStage();
});
afterAll(async () => {
  await stage?.close();
});

const denied = '42501 permission denied to set role "asked_admin"';

/** Behind the back of the program: its triggers let nobody change anything, and tell everybody of what they let. */
const change = (sql: string) =>
  stage.store.database.query(`
    alter table rolegate.requests disable trigger all;
    alter table rolegate.request_decisions disable trigger all;
    ${sql};
    update rolegate.versions set version = version + 1 where topic = 'requests';
    alter table rolegate.requests enable trigger all;
    alter table rolegate.request_decisions enable trigger all;
    notify rolegate_requests`);

test("a request that was withdrawn gives nothing where the store has forgotten it", async () => {
  const id = await stage.ask("alice", "asked_admin");
  await stage.say("bob", `APPROVE ${id}`);
  expect(await stage.enter("alice", "asked_admin")).toBe("asked_admin");
  await stage.say("alice", `WITHDRAW ${id}`);
  expect(await stage.enter("alice", "asked_admin")).toBe(denied);
  // As a replica that took over and lacks the last moments.
  await change(`delete from rolegate.request_decisions where request = ${id} and kind = 'withdraw'`);
  await sleep(1_000);
  expect(await stage.stateOf("alice", id)).toBe("in force");
  expect(await stage.enter("alice", "asked_admin")).toBe(denied);
  await stage.say("alice", `WITHDRAW ${id}`);
});

test("a glass that was broken under a number that was known raises the alarm, too", async () => {
  const id = await stage.ask("alice", "asked_admin");
  await stage.say("alice", `WITHDRAW ${id}`);
  // As by a replica that took over, and counts on from where it was.
  await change(`
    delete from rolegate.requests where id = ${id};
    insert into rolegate.requests (id, kind, rule, requester_name, requester_origin, requester, connection, role, database,
      duration_ms, reason, approvals, asked_at, over_at) overriding system value
    select ${id}, 'break-glass', rule, 'otto', requester_origin, requester, connection, 'asked_glass', database,
      duration_ms, 'fire', 0, clock_timestamp(), clock_timestamp() + interval '1 h' from rolegate.requests limit 1`);
  await expect
    .poll(() => requestLines(stage.west, id))
    .toContainEqual(expect.objectContaining({ event: "request asked", kind: "break-glass", reason: "fire" }));
});

test("one that is over before anybody looks is on record, too", async () => {
  const { rows } = await stage.store.database.query(
    "select coalesce(max(id), 0) + 1 as id from rolegate.requests",
  );
  const { id } = (rows as { id: string }[])[0]!;
  // Both in one transaction, so that no instance can look between them.
  await stage.store.database.query(`
    with made as (
      insert into rolegate.requests (kind, rule, requester_name, requester_origin, requester, connection, role, database,
        duration_ms, reason, approvals, asked_at, over_at)
      select kind, rule, requester_name, requester_origin, requester, connection, role, database, duration_ms, 'quick',
        approvals, clock_timestamp(), clock_timestamp() + interval '1 day' from rolegate.requests limit 1 returning id)
    insert into rolegate.request_decisions (request, kind, name, origin, person, comment, decided_at)
      select id, 'withdraw', 'alice', 'password', 'alice', '', clock_timestamp() from made`);
  const events = async () => (await requestLines(stage.west, id)).map(({ event }) => event);
  await expect.poll(events).toEqual(["request asked", "request withdrawn"]);
});

test("what is over is not read again and again for ever", async () => {
  const query = async <Row>(sql: string, values: readonly unknown[] = []) =>
    (await stage.store.database.query(sql, [...values])).rows as Row[];
  const found: string[][] = [];
  const reader = requestReader(({ requests }) => found.push((requests ?? []).map(({ id }) => String(id))));
  const id = await stage.ask("alice", "asked_admin");
  await reader.read(query, true);
  await stage.say("alice", `WITHDRAW ${id}`);
  await reader.read(query, false);
  await change(
    `update rolegate.request_decisions set decided_at = decided_at - interval '2 min' where request = ${id}`,
  );
  await reader.read(query, false);
  await change("select");
  await reader.read(query, false);
  expect(found.map((ids) => ids.includes(id))).toEqual([true, true, true, false]);
});

test("nobody fills the store: one person asks 100 times in 24 hours", async () => {
  const client = await stage.east.connect("dave", { database: "rolegate" });
  const asked = `REQUEST ROLE asked_admin ON ${stage.database.name} FOR '1h' REASON 'again'`;
  for (let made = 0; made < 100; made++) {
    const { rows } = await client.query(asked);
    await client.query(`WITHDRAW ${(rows as { id: string }[])[0]!.id}`);
  }
  await expect(client.query(asked)).rejects.toMatchObject({
    message: "there were 100 requests in the last 24 hours",
  });
  const id = await stage.ask("alice", "asked_admin");
  await stage.say("alice", `WITHDRAW ${id}`);
});
