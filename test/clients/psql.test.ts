import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeInstalled, outputOf } from "./describe-client.ts";
import { startStage, type Stage } from "./stage.ts";

// Debian's, and those of version 18 that a package of PyPI brings, whose server is the newest as well.
const installations = [
  ["15", "/usr/lib/postgresql/15/bin"],
  ["18", join(import.meta.dirname, "python/.venv/pginstall/bin")],
] as const;

for (const [version, folder] of installations) {
  const programs = ["psql", "pg_dump", "pgbench"].map((name) => join(folder, name));
  describeInstalled(`PostgreSQL ${version}'s programs`, programs, () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await startStage();
    });
    afterAll(() => stage?.close());

    const environment = (more: object = {}) => ({ ...process.env, ...stage.environment, ...more });

    /** What psql prints of a script, unaligned and without headers; its errors too. */
    async function psql(script: string, more: object = {}): Promise<string> {
      const file = join(stage.proxy.directory, "script.sql");
      writeFileSync(file, script);
      const words = ["-c", `"${folder}/psql" -XAtq -f "${file}" 2>&1`];
      return (await outputOf("/bin/bash", words, environment(more))).trimEnd();
    }

    const dump = (...words: string[]) => outputOf(join(folder, "pg_dump"), words, environment());

    const asleep = async () =>
      (await stage.record()).some(
        ({ event, sql }) => event === "statement" && sql === "select pg_sleep(30);",
      );

    test("is of that version, and sees its rows", async () => {
      expect(await psql("\\echo :VERSION_NUM")).toMatch(new RegExp(`^${version}`));
      const script = `show rolegate.identity; select current_user, count(*) from customers;
        select tenant_id, count(*) from orders group by 1; select email from customers where id = 1;`;
      expect(await psql(script)).toBe("alice\nshop_clerk|20\n1|120\n***@example.com");
    });

    // The package's programs of version 18 are built without TLS.
    test.runIf(version === "15")("over TLS, with a token for a password", async () => {
      const secured = { PGHOST: "localhost", PGSSLMODE: "verify-full" };
      expect(await psql("show rolegate.identity", { ...secured, PGCHANNELBINDING: "require" })).toBe("alice");
      const token = { PGUSER: stage.environment["TOKEN_USER"], PGPASSWORD: stage.environment["TOKEN"] };
      expect(await psql("show rolegate.identity", { ...secured, ...token })).toBe("sam@example.com");
    });

    test("\\d and its family", async () => {
      const family = ["d", "dt+", "d customers", "d+ orders", "di", "dn", "df", "du", "dp", "dv", "dx"];
      const printed = await psql(family.map((command) => `\\${command}`).join("\n"));
      expect(printed).not.toContain("ERROR");
      expect(printed).toContain("public|customers|table");
      expect(printed).toContain("orders_customer_id");
    });

    test("a refusal, and what psql does behind it", async () => {
      const printed = await psql("select * from tenants;\n\\echo :SQLSTATE\nselect ssn from customers;");
      expect(printed).toMatch(
        /ERROR: {2}permission denied for relation tenants\nDETAIL: {2}.*\nHINT: {2}.*\n42501/,
      );
      expect(printed).toMatch(/ERROR: {2}column "ssn" does not exist/);
    });

    test("transactions, with ON_ERROR_ROLLBACK", async () => {
      const script = `\\set ON_ERROR_ROLLBACK on
        begin;
        insert into orders (customer_id, tenant_id, amount) values (1, 1, 5);
        insert into orders (customer_id, tenant_id, amount) values (2, 2, 5);
        select count(*) from orders;
        rollback;
        select count(*) from orders;`;
      const lines = (await psql(script)).split("\n");
      expect(lines.filter((line) => /^\d+$/.test(line))).toEqual(["121", "120"]);
      expect(lines.join("\n")).toContain("new row violates the check of rule");
    });

    test("variables, \\gset, \\gexec, \\gdesc, \\crosstabview and \\watch", async () => {
      const script = `\\set name 'Ben Baker'
        select id as found from customers where name = :'name' order by id limit 1 \\gset
        \\echo :found
        select format('select count(*) from %I', name) from unnest(array['customers', 'orders']) name \\gexec
        select id, email, amount from customers join orders using (id) \\gdesc
        select tenant_id, status, count(*) from orders group by 1, 2 \\crosstabview
        select count(*) from customers \\watch ${version === "15" ? "0.1" : "i=0.1 c=2"}`;
      // Version 15 watches until it is interrupted.
      const limited = script.replace(version === "15" ? /\n.*\\watch.*/ : /^$/, "");
      const lines = (await psql(limited)).split("\n");
      expect(lines.join("\n")).not.toContain("ERROR");
      expect(Number(lines[0])).toBeGreaterThan(0);
      expect(lines.slice(1, 3)).toEqual(["20", "120"]);
      expect(lines.slice(3, 6)).toEqual(["id|integer", "email|text", "amount|numeric(10,2)"]);
      if (version !== "15") expect(lines.filter((line) => line === "20")).toHaveLength(3);
    });

    test.runIf(version !== "15")("\\bind, \\parse and its pipelines", async () => {
      const script = `select name from customers where id = $1 \\bind 1 \\g
        select count(*) from orders where tenant_id = $1 \\bind 2 \\g
        select id from orders where id = $1 \\parse mine
        \\bind_named mine 2 \\g
        \\bind_named mine 1 \\g
        \\startpipeline
        select count(*) from customers \\bind \\sendpipeline
        select * from tenants \\bind \\sendpipeline
        \\syncpipeline
        select count(*) from orders \\bind \\sendpipeline
        \\endpipeline`;
      const lines = (await psql(script)).split("\n");
      expect(lines.filter((line) => !/^(psql|DETAIL|HINT)/.test(line))).toEqual([
        "Ben Baker",
        "0",
        "2",
        "20",
        "120",
      ]);
      expect(lines.filter((line) => line.includes("permission denied for relation tenants"))).toHaveLength(1);
    });

    test("\\copy in and out", async () => {
      const data = join(stage.proxy.directory, "orders.csv");
      const columns = "(customer_id, tenant_id, amount, note)";
      const script = `\\copy orders to '${data}' with csv header
        \\! wc -l < ${data}
        \\copy (select 1, 1, n, 'copied' from generate_series(1, 3) n) to '${data}' with csv
        \\copy orders ${columns} from '${data}' with csv
        \\copy (select 1, 2, n, 'copied' from generate_series(1, 3) n) to '${data}' with csv
        \\copy orders ${columns} from '${data}' with csv
        delete from orders where note = 'copied' returning tenant_id;
        copy customers (id, email) to stdout;`;
      const lines = (await psql(script)).split("\n");
      expect(lines[0]!.trim()).toBe("121");
      expect(lines.filter((line) => line === "1")).toHaveLength(3);
      expect(lines.filter((line) => line.includes("new row violates the check of rule"))).toHaveLength(1);
      expect(lines.filter((line) => line.endsWith("\t***@example.com"))).toHaveLength(20);
    });

    test("FETCH_COUNT reads by a cursor", async () => {
      const ids = (await psql("\\set FETCH_COUNT 50\nselect id from orders order by id;")).split("\n");
      expect(ids).toHaveLength(120);
      expect(ids.map(Number)).not.toContain(1);
    });

    test("Ctrl-C cancels, and the session goes on", async () => {
      // On a terminal: elsewhere psql ends where it is interrupted.
      const command = `"${folder}/psql" -XAt -P pager=off`;
      const child = spawn("script", ["-qec", command, "/dev/null"], { env: environment() });
      let printed = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
      child.stdin.write("select pg_sleep(30);\n");
      for (let tries = 0; tries < 100 && !(await asleep()); tries++) await sleep(50);
      child.stdin.write("\u0003");
      for (let tries = 0; tries < 100 && !printed.includes("canceling"); tries++) await sleep(50);
      child.stdin.end("select 'after', count(*) from customers;\n\\q\n");
      await new Promise((resolve) => child.on("close", resolve));
      expect(printed).toContain("canceling statement due to user request");
      expect(printed).toContain("after|20");
    });

    // pg_dump takes no server that is newer than itself; psql-commands.test.ts has the older one.
    test.runIf(version === "18")("pg_dump -s, and of rows those that are the role's", async () => {
      // As of PostgreSQL itself: what it cannot lock it has to be told to leave out.
      await expect(dump("--schema-only")).rejects.toThrow(/permission denied for relation public.tenants/);
      const schema = await dump("--schema-only", "--exclude-table=tenants");
      expect(schema).toContain("CREATE TABLE public.orders (");
      expect(schema).toContain("CREATE INDEX orders_customer_id");
      const rows = await dump("--data-only", "--table=products");
      expect(rows.match(/^\d+\t/gm)).toHaveLength(12);
      await expect(dump("--data-only", "--table=order_items")).rejects.toThrow(/row/);
      const own = await dump("--data-only", "--enable-row-security", "--table=order_items");
      const expected = await stage.database.query(
        "select count(*)::int as n from order_items where tenant_id = 1",
      );
      expect(own.match(/^\d+\t\d+\t1\t/gm)).toHaveLength((expected.rows[0] as { n: number }).n);
    });

    test.each(["simple", "extended", "prepared"])("pgbench, %s protocol", async (protocol) => {
      const file = join(stage.proxy.directory, "bench.sql");
      writeFileSync(
        file,
        `\\set id random(1, 240)
         select count(*) from orders where tenant_id <> 1;
         update orders set amount = amount + 0 where id = :id;
         begin;
         insert into orders (customer_id, tenant_id, amount, note) values (1, 1, :id, 'bench');
         delete from orders where note = 'bench';
         end;`,
      );
      const words = ["-n", "-f", file, "-c", "4", "-j", "2", "-t", "25", "-M", protocol];
      const printed = await outputOf(join(folder, "pgbench"), words, environment());
      expect(printed).toContain("number of transactions actually processed: 100/100");
      expect(printed).toMatch(/number of failed transactions: 0 /);
    });

    test.runIf(version === "18")("pgbench's own pipeline", async () => {
      const file = join(stage.proxy.directory, "pipeline.sql");
      writeFileSync(
        file,
        `\\startpipeline
         select count(*) from customers;
         select count(*) from orders;
         \\endpipeline`,
      );
      const words = ["-n", "-f", file, "-c", "2", "-t", "50", "-M", "prepared"];
      expect(await outputOf(join(folder, "pgbench"), words, environment())).toContain(
        "number of transactions actually processed: 100/100",
      );
    });

    test("the rows of others are as they were", async () => {
      const { rows } = await stage.database.query(
        "select tenant_id, count(*)::int as n from orders group by 1 order by 1",
      );
      expect(rows).toEqual([
        { tenant_id: 1, n: 120 },
        { tenant_id: 2, n: 120 },
      ]);
    });
  });
}
