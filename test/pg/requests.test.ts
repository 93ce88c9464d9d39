import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectRaw, extended, say } from "./raw-connection.ts";
import { openRequestStage, requestLines, type RequestStage } from "./request-stage.ts";

let stage: RequestStage;
beforeAll(async () => {
  stage = await openRequestStage();
});
afterAll(async () => {
  await stage?.close();
});

const denied = (role: string) => `42501 permission denied to set role "${role}"`;

/** A request's own facts, as an owner of the store could change them. */
const shift = async (id: string, seconds: number): Promise<void> => {
  // Behind the back of the program: its triggers let nobody change anything.
  await stage.store.database.query(`
    alter table rolegate.requests disable trigger all;
    alter table rolegate.request_decisions disable trigger all;
    update rolegate.requests set asked_at = asked_at - interval '${seconds} s', over_at = over_at - interval '${seconds} s'
      where id = ${id};
    update rolegate.request_decisions set decided_at = decided_at - interval '${seconds} s' where request = ${id};
    update rolegate.versions set version = version + 1 where topic = 'requests';
    alter table rolegate.requests enable trigger all;
    alter table rolegate.request_decisions enable trigger all;
    notify rolegate_requests`);
};

describe("a role that has to be asked for", () => {
  test("is there once a request is approved, on every instance, and in sessions that are open", async () => {
    const open = await stage.west.connect("alice");
    expect(await stage.enter("alice", "alice")).toBe("asked_reader");
    expect(await stage.enter("alice", "asked_admin")).toBe(denied("asked_admin"));
    const id = await stage.ask("alice", "asked_admin");
    expect(await stage.stateOf("alice", id)).toBe("pending");
    expect(await stage.enter("alice", "asked_admin")).toBe(denied("asked_admin"));
    const { rows, command } = await stage.say("bob", `APPROVE ${id} COMMENT 'go on'`);
    expect(command).toBe("APPROVE");
    expect(rows).toMatchObject([
      { id, requester: "alice", role: "asked_admin", state: "in force", approvals: "1 of 1" },
    ]);
    expect(await stage.enter("alice", "asked_admin")).toBe("asked_admin");
    // It is nobody's first role.
    expect(await stage.enter("alice", "alice")).toBe("asked_reader");
    await expect
      .poll(() => open.query("set role asked_admin").then(() => "taken", String), { timeout: 1000 })
      .toBe("taken");
    expect(await stage.enter("dave", "asked_admin")).toBe(denied("asked_admin"));
    await stage.say("alice", `WITHDRAW ${id}`);
    await expect.poll(() => open.query("select 1").then(() => "there", String)).not.toBe("there");
    expect(await stage.enter("alice", "asked_admin")).toBe(denied("asked_admin"));
    const lines = await requestLines(stage.east, id);
    expect(lines.map(({ event }) => event)).toEqual([
      "request asked",
      "request approved",
      "request used",
      "request withdrawn",
    ]);
    expect(lines[1]).toMatchObject({ identity: "bob", comment: "go on", requester: "alice", seconds: 1800 });
    expect((await requestLines(stage.west, id)).map(({ event }) => event)).toEqual(
      lines.map(({ event }) => event),
    );
  });

  test("of two approvals wants two people", async () => {
    const id = await stage.ask("alice", "asked_owner");
    await stage.say("bob", `APPROVE ${id}`);
    expect(await stage.stateOf("alice", id)).toBe("pending");
    expect(await stage.refused("bob", `APPROVE ${id}`)).toContain("42501");
    expect(await stage.enter("alice", "asked_owner")).toBe(denied("asked_owner"));
    await stage.say("carol", `APPROVE ${id}`, stage.west);
    await expect.poll(() => stage.enter("alice", "asked_owner"), { timeout: 1000 }).toBe("asked_owner");
    await stage.say("alice", `WITHDRAW ${id}`);
  });

  test("refuses whoever asks for too long, or is not among those who may ask", async () => {
    const ask = (role: string, time: string) =>
      `REQUEST ROLE ${role} ON ${stage.database.name} FOR '${time}' REASON 'why'`;
    expect(await stage.refused("alice", ask("asked_admin", "61min"))).toContain("22023");
    expect(await stage.refused("bob", ask("asked_admin", "1min"))).toContain("42501");
    expect(await stage.refused("alice", ask("asked_glass", "1min"))).toContain("42501");
    expect(await stage.refused("alice", ask("asked_reader", "1min"))).toContain("42501");
    expect(await stage.refused("alice", ask("nowhere", "1min"))).toContain("42501");
  });

  test("a refusal says how to ask, to those alone who may", async () => {
    const hint = async (user: string, sql: string): Promise<unknown> => {
      const client = await stage.east.connect(user);
      return client.query(sql).catch((error: unknown) => (error as { hint: string }).hint);
    };
    const how = `Ask for it: rolegate request --role asked_admin --database ${stage.database.name} --reason …`;
    expect(await hint("alice", "set role asked_admin")).toBe(how);
    expect(await hint("otto", "set role asked_admin")).toBe("It may take: asked_reader.");
    // And at a statement that the role at hand may not run.
    expect(await hint("alice", "select * from nowhere")).toContain("asked_admin");
    expect(await hint("otto", "select * from nowhere")).not.toContain("asked_admin");
    await expect(stage.east.connect("bob")).rejects.toMatchObject({ code: "28000", hint: undefined });
  });

  test("one person has so many open requests and no more, however many are sent at once", async () => {
    const asks = await Promise.allSettled(Array.from({ length: 16 }, () => stage.ask("dave", "asked_admin")));
    const made = asks.flatMap((ask) => (ask.status === "fulfilled" ? ask.value : []));
    expect(made).toHaveLength(10);
    for (const id of made) await stage.say("dave", `WITHDRAW ${id}`);
  });
});

describe("what is over", () => {
  test("ends a session behind the statement that runs, and leaves those in other roles alone", async () => {
    const id = await stage.ask("alice", "asked_admin");
    await stage.say("bob", `APPROVE ${id}`);
    const [idle, busy, other] = await Promise.all([1, 2, 3].map(() => stage.east.connect("alice")));
    await idle!.query("set role asked_admin");
    await busy!.query("set role asked_admin");
    const running = busy!.query("select pg_sleep(2), 7 as seven");
    await shift(id, 1799);
    await expect
      .poll(() => idle!.query("select 1").then(() => "there", String), { timeout: 5000 })
      .not.toBe("there");
    expect((await running).rows).toMatchObject([{ seven: 7 }]);
    await expect(busy!.query("select 1")).rejects.toThrow(/closed|ended|over|queryable/);
    expect((await other!.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await expect(other!.query("set role asked_admin")).rejects.toMatchObject({ code: "42501" });
    const ends = (await stage.east.record()).filter(({ event }) => event === "session end");
    expect(ends.map((end) => end["reason"])).toContain(
      'the time for which the role "asked_admin" was granted is over',
    );
    expect((await requestLines(stage.east, id)).map(({ event }) => event)).toContain("request expired");
  });

  test("is told to the client as an end of the session, with why", async () => {
    const id = await stage.ask("alice", "asked_admin");
    await stage.say("bob", `APPROVE ${id}`);
    const raw = await connectRaw(stage.east.client("alice"));
    await raw.ask([say.query("set role asked_admin")]);
    await stage.say("carol", `DENY ${id} REASON 'enough'`);
    const lines = await raw.untilClosed([]);
    expect(lines.join()).toContain("57P01");
    expect(lines.join()).toContain(`request ${id} for the role \\"asked_admin\\" was denied`);
  });

  test("is not taken by SET ROLE in a pipeline that was judged before", async () => {
    const id = await stage.ask("alice", "asked_admin");
    await stage.say("bob", `APPROVE ${id}`);
    const raw = await connectRaw(stage.east.client("alice"));
    await raw.ask([say.query("set role asked_admin"), say.query("reset role")], 2);
    await raw.ask([say.parse("mine", "set role asked_admin"), say.sync]);
    await stage.say("alice", `WITHDRAW ${id}`);
    const lines = await raw.ask(
      [
        say.bind("", "mine"),
        say.execute(""),
        say.sync,
        ...extended("set role asked_admin"),
        say.sync,
        ...extended("select current_user"),
        say.sync,
      ],
      3,
    );
    expect(lines.filter((line) => line.includes("42501"))).toHaveLength(2);
    expect(lines).toContain('DataRow "asked_reader"');
    raw.close();
  });

  test("cannot be decided any more, whatever was decided", async () => {
    const denial = await stage.ask("alice", "asked_admin");
    await stage.say("bob", `DENY ${denial} REASON 'no'`);
    expect(await stage.refused("carol", `APPROVE ${denial}`)).toBe(`55000 request ${denial} is denied`);
    const withdrawn = await stage.ask("alice", "asked_admin");
    await stage.say("alice", `WITHDRAW ${withdrawn}`);
    expect(await stage.refused("bob", `APPROVE ${withdrawn}`)).toBe(
      `55000 request ${withdrawn} is withdrawn`,
    );
    const lapsed = await stage.ask("alice", "asked_admin");
    await shift(lapsed, 86_400);
    expect(await stage.refused("bob", `APPROVE ${lapsed}`)).toBe(`55000 request ${lapsed} is lapsed`);
    expect(await stage.enter("alice", "asked_admin")).toBe(denied("asked_admin"));
  });

  test("a role that another entry gives is not affected", async () => {
    const client = await stage.east.connect("alice");
    const id = await stage.ask("alice", "asked_admin");
    await stage.say("bob", `APPROVE ${id}`);
    await stage.say("alice", `WITHDRAW ${id}`);
    expect((await client.query("select current_user::text as role")).rows).toEqual([
      { role: "asked_reader" },
    ]);
  });
});

describe("deciding at the same time", () => {
  test("of two approvals by one person on two instances one counts", async () => {
    for (let round = 0; round < 5; round++) {
      const id = await stage.ask("alice", "asked_owner");
      const outcomes = await Promise.allSettled(
        [stage.east, stage.west, stage.east, stage.west].map((proxy) =>
          stage.say("bob", `APPROVE ${id}`, proxy),
        ),
      );
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await stage.stateOf("alice", id)).toBe("pending");
      await stage.say("alice", `WITHDRAW ${id}`);
    }
  });

  test("approving, denying and withdrawing leave one end, and never a grant behind it", async () => {
    for (let round = 0; round < 5; round++) {
      const id = await stage.ask("alice", "asked_admin");
      await Promise.allSettled([
        stage.say("bob", `APPROVE ${id}`, stage.west),
        stage.say("carol", `DENY ${id} REASON 'no'`, stage.east),
        stage.say("dave", `APPROVE ${id}`, stage.east),
        stage.say("alice", `WITHDRAW ${id}`, stage.west),
      ]);
      const { rows } = await stage.store.database.query(
        `select count(*) filter (where kind <> 'approve')::int as ends from rolegate.request_decisions where request = ${id}`,
      );
      expect(rows).toEqual([{ ends: 1 }]);
      expect(["denied", "withdrawn"]).toContain(await stage.stateOf("alice", id));
      expect(await stage.enter("alice", "asked_admin")).toBe(denied("asked_admin"));
    }
  });

  test("the store itself counts nobody twice, and changes nothing", async () => {
    const id = await stage.ask("alice", "asked_owner");
    await stage.say("bob", `APPROVE ${id}`);
    const query = (sql: string) => stage.store.database.query(sql);
    const insert = (kind: string, person: string) =>
      query(
        `insert into rolegate.request_decisions (request, kind, name, origin, person, comment, decided_at)
         values (${id}, '${kind}', 'x', 'password', '${person}', '', now())`,
      );
    await expect(insert("approve", "bob")).rejects.toMatchObject({ code: "23505" });
    await stage.say("alice", `WITHDRAW ${id}`);
    await expect(insert("deny", "carol")).rejects.toMatchObject({ code: "23505" });
    await expect(query(`update rolegate.requests set role = 'x' where id = ${id}`)).rejects.toMatchObject({
      code: "55000",
    });
    await expect(query(`update rolegate.request_decisions set kind = 'approve'`)).rejects.toMatchObject({
      code: "55000",
    });
  });
});

describe("attacks", () => {
  test("an approval is for one request, and for nobody else's of the same role", async () => {
    const [first, second] = [await stage.ask("alice", "asked_admin"), await stage.ask("dave", "asked_admin")];
    await stage.say("bob", `APPROVE ${first}`);
    expect(await stage.stateOf("dave", second)).toBe("pending");
    expect(await stage.enter("dave", "asked_admin")).toBe(denied("asked_admin"));
    expect(await stage.refused("bob", `APPROVE ${first}`)).toContain("55000");
    // One's own request is not approved by the right to approve others'.
    expect(await stage.refused("dave", `APPROVE ${second}`)).toBe(
      "42501 nobody approves a request of their own",
    );
    for (const [user, id] of [
      ["alice", first],
      ["dave", second],
    ] as const)
      await stage.say(user, `WITHDRAW ${id}`);
  });

  test("SQL, terminal escapes and line ends in a reason stay text, or are refused", async () => {
    const before = await stage.store.database.query("select count(*) from rolegate.requests");
    const reason = `x''); drop table rolegate.requests; select (''`;
    const id = await stage.ask("alice", "asked_admin", { reason });
    const { rows } = await stage.say("bob", "SHOW REQUESTS");
    expect(rows).toContainEqual(expect.objectContaining({ id, reason: reason.replaceAll("''", "'") }));
    for (const bad of ["a\nb", "\u{1b}[2J", "\u{202e}evil", '\u{85}","event":"session end"', ""])
      await expect(stage.ask("alice", "asked_admin", { reason: bad })).rejects.toMatchObject({
        code: "22023",
      });
    expect(await stage.refused("bob", `APPROVE ${id} COMMENT 'a\nb'`)).toContain("22023");
    expect(await stage.refused("bob", `DENY ${id} REASON ''`)).toContain("22023");
    const after = await stage.store.database.query("select count(*) from rolegate.requests");
    expect(Number(after.rows[0].count)).toBe(Number(before.rows[0].count) + 1);
    // Every line of the record is one event, as `record` could read it.
    const lines = await stage.east.record();
    expect(lines.filter((line) => String(line["sql"]).includes("\u{1b}[2J"))).toHaveLength(1);
    await stage.say("alice", `WITHDRAW ${id}`);
  });

  test("a glass is broken with a reason, by those who may, and ends with its time", async () => {
    const glass = (time: string, reason: string) =>
      `BREAK GLASS ROLE asked_glass ON ${stage.database.name} FOR '${time}' REASON '${reason}'`;
    expect(await stage.refused("otto", glass("15min", " "))).toContain("22023");
    expect(await stage.refused("otto", glass("16min", "fire"))).toContain("22023");
    expect(await stage.refused("alice", glass("15min", "fire"))).toContain("42501");
    expect(await stage.refused("otto", glass("15min", "fire").replace("BREAK GLASS", "REQUEST"))).toContain(
      "42501",
    );
    const { rows, command } = await stage.say("otto", glass("15min", "fire"));
    expect(command).toBe("BREAK");
    const { id } = (rows as { id: string }[])[0]!;
    expect(rows).toMatchObject([{ state: "in force", approvals: "" }]);
    expect(await stage.enter("otto", "asked_glass")).toBe("asked_glass");
    await expect.poll(() => stage.enter("otto", "asked_glass", stage.west)).toBe("asked_glass");
    expect(await stage.refused("bob", `DENY ${id} REASON 'no'`)).toContain("42704");
    expect(await stage.refused("bob", `APPROVE ${id}`)).toContain("42704");
    await shift(id, 900);
    await expect.poll(() => stage.enter("otto", "asked_glass")).toBe(denied("asked_glass"));
    expect(await requestLines(stage.west, id)).toContainEqual(
      expect.objectContaining({ event: "request asked", kind: "break-glass", reason: "fire" }),
    );
  });

  test("the clock of an instance does not matter", async () => {
    const id = await stage.ask("alice", "asked_admin");
    await stage.say("bob", `APPROVE ${id}`);
    const { now } = Date;
    try {
      Date.now = () => now() - 365 * 86_400_000;
      await shift(id, 1800);
      await expect.poll(() => stage.enter("alice", "asked_admin")).toBe(denied("asked_admin"));
    } finally {
      Date.now = now;
    }
  });
});
