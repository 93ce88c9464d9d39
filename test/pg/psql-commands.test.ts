import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createTestDatabase,
  describeServers,
  loginPassword,
  type TestDatabase,
} from "./embedded-database.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";

// Debian's package puts them there; the embedded PostgreSQL has no clients.
const programs = "/usr/lib/postgresql/15/bin";
const run = promisify(execFile);
const role = "psql_user";
const sql = readFileSync(new URL("../fixtures/tool-statements.sql", import.meta.url), "utf8");
const all = { select: "all" };

/** psql's commands about the database, and those with a pattern. */
const commands = [
  ..."d d+ dS da dA dA+ dAc dAf dAo dAp dc dc+ dC dC+ dd dD dD+ ddp dE dE+ des des+ det det+ deu deu+ dew dew+".split(
    " ",
  ),
  ..."df df+ dfa dfn dfp dft dfw dF dF+ dFd dFd+ dFp dFp+ dFt dFt+ dg dg+ di di+ dl dL dL+ dm dm+ dn dn+ do+".split(
    " ",
  ),
  ..."dO dO+ dp dP dP+ drds dRp dRp+ dRs ds ds+ dt dt+ dT dT+ du du+ dv dv+ dx dx+ dX dy dy+ z lo_list".split(
    " ",
  ),
  ..."d users,d+ users,d posts,d+ posts,d child,d+ shop.customers,d shop.events,d+ shop.events,d+ shop.events_def".split(
    ",",
  ),
  ..."d+ shop.v,d+ shop.mv,d+ shop.sq,d+ shop.*,d+ posts_title_idx,d pg_class,d+ pg_stat_activity,df+ shop.*".split(
    ",",
  ),
  ..."dT+ shop.*,dX shop.*,dp shop.*,dt *.*,dF+ english,do+ =,sf shop.f,sv shop.v,sf+ shop.f".split(","),
].map((command) => `\\${command}`);

type Server = {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
};

/** Runs a program of PostgreSQL's against a server; sizes are left out of what it prints. */
async function output(program: string, flags: readonly string[], server: Server): Promise<string> {
  const { host, port, database, user } = server;
  const direct = user === `rolegate_${role}`;
  const { stdout, stderr } = await run(`${programs}/${program}`, flags, {
    maxBuffer: 2 ** 26,
    env: {
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: database,
      PGUSER: user,
      PGPASSWORD: direct ? loginPassword : userPassword,
      PGOPTIONS: direct ? `-c role=${role}` : "",
    },
  });
  return `${stdout}${stderr}`
    .replaceAll(/\b\d+ (bytes|[kMG]B)\b/g, "")
    .replaceAll(/^\\(un)?restrict .*$/gm, "");
}

describe.skipIf(!existsSync(`${programs}/psql`))("PostgreSQL 15's programs", () => {
  describeServers((server, major) => {
    let database: TestDatabase;
    let proxy: RunningProxy;
    let direct: Server;
    let through: Server;
    beforeAll(async () => {
      database = await createTestDatabase({ server });
      for (const name of [role, "psql_outsider"]) await database.addRole(name);
      await database.query(
        `create schema shop authorization ${role}; grant create on schema public to ${role}; set role ${role};
         ${sql};
         grant usage on schema shop to psql_outsider`,
      );
      proxy = await startTestProxy({
        database,
        roles: {
          [role]: { file: { tables: { "public.*": all, "shop.*": all } } },
          psql_outsider: {
            file: { tables: { users: all }, catalogs: { definitions: "hidden", comments: "hidden" } },
          },
        },
        users: { [role]: {}, psql_outsider: {} },
        access: [role, "psql_outsider"].map((name) => ({
          role: name,
          database: database.name,
          when: `identity.name == "${name}"`,
        })),
      });
      direct = {
        host: database.host,
        port: database.port,
        database: database.name,
        user: `rolegate_${role}`,
      };
      through = { host: "127.0.0.1", port: proxy.port, database: database.name, user: role };
    });
    afterAll(async () => {
      await proxy?.close();
      await database?.close();
    });

    // The last one decides the exit code.
    const script = ["-XqA", ...[...commands, "\\echo"].flatMap((command) => ["-c", command])];

    test("psql's commands print what they print without rolegate", { timeout: 120_000 }, async () => {
      let [expected, found, again] = ["", "", ""];
      // Roles are the whole server's, and other tests make some meanwhile.
      do {
        expected = again === "" ? await output("psql", script, direct) : again;
        found = await output("psql", script, through);
        again = await output("psql", script, direct);
      } while (expected !== again);
      expect(found.split("\n")).toEqual(expected.split("\n"));
      expect(expected.length).toBeGreaterThan(100_000);
    });

    test("they work for a role without definitions and comments", { timeout: 120_000 }, async () => {
      const found = await output("psql", script, { ...through, user: "psql_outsider" });
      const errors = found.split("\n").filter((line) => line.includes("ERROR:"));
      // Of PostgreSQL 17's catalogs psql 15 does not know.
      expect(errors.filter((line) => !(major >= 17 && /iculocale/.test(line)))).toEqual([]);
      expect(found).not.toContain("how to reach them");
    });

    // pg_dump takes no server that is newer than itself.
    test.runIf(major === 15)("pg_dump -s writes what it writes without rolegate", async () => {
      const flags = ["--schema-only"];
      const [expected, found] = [
        await output("pg_dump", flags, direct),
        await output("pg_dump", flags, through),
      ];
      expect(found).toBe(expected);
      expect(expected).toContain("CREATE TABLE shop.customers");
    });
  });
});
