import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { createTestDatabase } from "./embedded-database.ts";
import { startTestProxy, userPassword } from "./running-proxy.ts";
import { createTestStore } from "./store-database.ts";

const page = readFileSync(new URL("../../docs/requests.md", import.meta.url), "utf8");
const main = join(import.meta.dirname, "../../src/cli/main.ts");

/** The `access` of the page, and what is typed behind it with what is answered. */
const access = (parse(/^```yaml\n([^]*?)^```$/m.exec(page)?.[1] ?? "") as { access: object[] }).access;
const steps = [...page.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, body = ""]) =>
  body
    .split(/^(?=\w+\$ )/m)
    .filter((step) => step !== "")
    .map((step) => {
      const [, user = "", command = "", answer = ""] = /^(\w+)\$ (.*)\n([^]*)$/.exec(step) ?? [];
      return { user, command, answer };
    }),
);

/** An argument as the shell reads it: in single quotes, or without. */
const words = (command: string): string[] =>
  Array.from(command.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? "");

const role = (name: string) => ({
  file: { tables: { t: { select: "all" } } },
  grants: `grant select on t to ${name}`,
});

test("docs/requests.md, run", async () => {
  const database = await createTestDatabase({ sql: "create table t (id int)" });
  const store = await createTestStore();
  const proxy = await startTestProxy({
    database,
    roles: { reader: role("reader"), admin: role("admin") },
    users: { alice: { groups: ["engineers"] }, bob: { groups: ["leads"] } },
    access: access.map((entry) => ({ ...entry, database: database.name })),
    more: { store: store.setting },
  });
  const there = (text: string) => text.replaceAll(/\bshop\b/g, database.name);
  const here = (text: string) =>
    text
      .replaceAll(database.name, "shop")
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "2026-02-01T10:02:00Z")
      // The name of the test's database is longer.
      .replaceAll(/ {2,}/g, "  ");
  const rolegate = (user: string, args: readonly string[]): Promise<string> =>
    new Promise((resolve) => {
      const env = {
        ...process.env,
        PGHOST: proxy.host,
        PGPORT: String(proxy.port),
        PGUSER: user,
        PGPASSWORD: userPassword,
      };
      execFile(process.execPath, [main, ...args], { env }, (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
  try {
    let done = 0;
    for (const { user, command, answer } of steps) {
      const [program, ...args] = words(there(command));
      if (program === "psql") {
        const client = await proxy.connect(user);
        for (const [at, arg] of args.entries()) if (args[at - 1] === "-c") await client.query(arg);
        await client.end();
      } else {
        done++;
        // The failure shows the lines to change in the page.
        expect(here(await rolegate(user, args))).toBe(answer.replaceAll(/ {2,}/g, "  "));
      }
    }
    expect(done).toBeGreaterThan(3);
    const refused = await rolegate("bob", [
      "request",
      "--role",
      "admin",
      "--database",
      database.name,
      "--for",
      "30m",
      "--reason",
      "x",
    ]);
    expect(refused).toMatch(/^rolegate request: "bob" cannot ask for the role "admin"/);
  } finally {
    await proxy.close();
    await store.close();
    await database.close();
  }
});
