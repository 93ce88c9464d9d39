import { Socket } from "node:net";
import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

let database: TestDatabase;
let issuer: TokenIssuer;
let proxy: RunningProxy;

const users: Readonly<Record<string, object>> = {
  alice: { tenant: 1, groups: ["analysts"] },
  bob: { groups: ["editors", "analysts"] },
  carol: { tenant: 7, groups: [] },
  nobody: {},
  mallory: { groups: ["x analysts"], tenant: "7" },
};

const conditions: Readonly<Record<string, string>> = {
  access_editor: '"editors" in identity.groups',
  access_reader: '"analysts" in identity.groups',
  access_seven: "identity.tenant == 7",
  access_tenant: 'connection.application_name == "tenant app"',
  access_near: 'connection.address == "127.0.0.9" && now > timestamp("2020-01-01T00:00:00Z")',
  access_past: 'now < timestamp("2020-01-01T00:00:00Z")',
  access_secure: 'connection.tls && identity.method == "jwt" && identity.name.endsWith("@example.com")',
};

const select = (role: string, rule: unknown) => ({
  file: { tables: { t: { select: rule } }, functions: { allow: ["pg_sleep"] } },
  grants: `grant select on t to ${role}`,
});

beforeAll(async () => {
  database = await createTestDatabase({
    sql: "create table t (id int, tenant_id int); insert into t values (1, 1), (7, 7)",
  });
  issuer = await createTokenIssuer();
  const verifier = await makeVerifier(userPassword, { salt: Buffer.from("16-bytes-of-salt") });
  proxy = await startTestProxy({
    database,
    roles: Object.fromEntries(
      Object.keys(conditions).map((role) => [
        role,
        select(role, role === "access_tenant" ? { rows: "tenant_id = identity.tenant" } : "all"),
      ]),
    ),
    users: {},
    access: Object.entries(conditions).map(([role, when]) => ({ role, database: database.name, when })),
    more: {
      listen: {
        address: "127.0.0.1:0",
        tls: { certificate: ecdsaSha256.certificate, key: ecdsaSha256.key, mode: "optional" },
      },
      identities: [
        {
          type: "password",
          users: Object.fromEntries(
            Object.entries(users).map(([name, attributes]) => [name, { verifier, attributes }]),
          ),
        },
        issuer.entry({ allowPlaintextOnLoopback: true }),
      ],
    },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

/** Whom the session is of and which role it has, or the SQLSTATE with which it was refused. */
async function outcome(user: string, more: ClientConfig = {}): Promise<string> {
  const client = new Client(proxy.client(user, more));
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
  const { rows } = await client.query("show rolegate.identity");
  const role = await client.query("show rolegate.role");
  const current = await client.query("select current_user as u, (select count(*) from t)::int as n");
  await client.end();
  expect(current.rows[0].u).toBe(role.rows[0]["rolegate.role"]);
  return `${rows[0]["rolegate.identity"]} as ${role.rows[0]["rolegate.role"]} sees ${current.rows[0].n}`;
}

const from = (localAddress: string): ClientConfig => ({
  stream: () => {
    const socket = new Socket();
    const connect = socket.connect.bind(socket);
    socket.connect = ((port: number, host: string) =>
      connect({ port, host, localAddress })) as typeof connect;
    return socket;
  },
});
const token = async (claims: Record<string, unknown>, expiresIn?: number) => ({
  password: await issuer.sign(claims, expiresIn),
});
const noRole = (name: string) => `28000 no role of this database is open to "${name}"`;

describe("conditions", () => {
  test("over the identity: the first role that fits", async () => {
    expect(await outcome("alice")).toBe("alice as access_reader sees 2");
    expect(await outcome("bob")).toBe("bob as access_editor sees 2");
    expect(await outcome("carol")).toBe("carol as access_seven sees 2");
  });

  test("of which none fits, or none can be evaluated, refuse", async () => {
    expect(await outcome("nobody")).toBe(noRole("nobody"));
    // Text is no number, and a part of a group's name is no group.
    expect(await outcome("mallory")).toBe(noRole("mallory"));
  });

  test("over the connection: its address, its application, TLS", async () => {
    expect(await outcome("nobody", from("127.0.0.9"))).toBe("nobody as access_near sees 2");
    expect(await outcome("nobody", from("127.0.0.8"))).toBe(noRole("nobody"));
    const ssl = { ca: ecdsaSha256.certificate };
    expect(await outcome("sam@example.com", { ...(await token({})), ssl })).toBe(
      "sam@example.com as access_secure sees 2",
    );
    expect(await outcome("sam@example.com", await token({}))).toBe(noRole("sam@example.com"));
    expect(await outcome("nobody", { ssl })).toBe(noRole("nobody"));
    expect(await outcome("carol", { application_name: "tenant app" })).toBe("carol as access_seven sees 2");
  });

  test("that need an attribute of another type than the claim's refuse", async () => {
    const name = "sam@example.com";
    expect(await outcome(name, await token({ org: { id: 7 } }))).toBe(`${name} as access_seven sees 2`);
    for (const claims of [
      { org: { id: "7" } },
      { org: { id: [7] } },
      { org: 7 },
      { groups: "analysts" },
      { groups: [["analysts"]] },
      { groups: { analysts: true } },
      { name: "x", method: "password", email: name },
    ])
      expect(await outcome(name, await token(claims)), JSON.stringify(claims)).toMatch(/^(28000|28P01)/);
  });
});

describe("a role's name in place of the user's", () => {
  test("takes that role, with a token whose identity may", async () => {
    const both = await token({ groups: ["editors", "analysts"] });
    expect(await outcome("access_reader", both)).toBe("sam@example.com as access_reader sees 2");
    expect(await outcome("access_editor", both)).toBe("sam@example.com as access_editor sees 2");
    expect(await outcome("sam@example.com", both)).toBe("sam@example.com as access_editor sees 2");
    expect(await outcome("access_past", both)).toBe(
      '28000 "sam@example.com" may not take the role "access_past"',
    );
  });

  test("says nothing of roles to who has not proved who they are", async () => {
    for (const user of ["access_reader", "access_past", "nothing@example.com"])
      expect(await outcome(user, { password: userPassword })).toBe(
        `28P01 password authentication failed for user "${user}"`,
      );
    expect(await outcome("no_such_role")).toBe(
      '28P01 password authentication failed for user "no_such_role"',
    );
  });

  test("of somebody else is not taken with one's own token", async () => {
    const good = await token({ groups: ["analysts"] });
    expect(await outcome("boss@example.com", good)).toBe(
      '28000 "sam@example.com" may not take the role "boss@example.com"',
    );
    // A password user's name is asked for a password; a token is none.
    expect(await outcome("alice", good)).toBe('28P01 password authentication failed for user "alice"');
  });

  test("that is the name in a token gives no more than the conditions do", async () => {
    const named = await token({ email: "access_editor", groups: ["analysts"] });
    expect(await outcome("access_editor", named)).toBe("access_editor as access_reader sees 2");
  });
});

describe("databases", () => {
  test("that are not served are told of only to who has logged in", async () => {
    for (const elsewhere of ["elsewhere", "postgres", "template1", `${database.name}x`]) {
      expect(await outcome("alice", { database: elsewhere, password: "wrong" })).toMatch(/^28P01/);
      expect(await outcome("alice", { database: elsewhere })).toBe(
        `3D000 database "${elsewhere}" does not exist`,
      );
    }
  });
});

describe("an attribute that the role's rules need and the identity lacks", () => {
  const tenantApp = { application_name: "tenant app" };

  test("refuses the login to that role, and to no other", async () => {
    expect(await outcome("nobody", tenantApp)).toMatch(/^28000 .*tenant/);
    expect(await outcome("bob", tenantApp)).toBe("bob as access_editor sees 2");
    const one = await token({ org: { id: 1 } });
    expect(await outcome("access_tenant", { ...one, ...tenantApp })).toBe(
      "sam@example.com as access_tenant sees 1",
    );
    expect(await outcome("access_tenant", { ...(await token({})), ...tenantApp })).toMatch(/^28000 .*tenant/);
  });

  test("refuses SET ROLE to that role, and the session goes on", async () => {
    const client = await proxy.connect("bob", tenantApp);
    await expect(client.query("set role access_tenant")).rejects.toThrow(/tenant/);
    expect((await client.query("select current_user as u")).rows).toEqual([{ u: "access_editor" }]);
    await client.query("set role access_reader");
    expect((await client.query("show rolegate.role")).rows).toEqual([{ "rolegate.role": "access_reader" }]);
    await expect(client.query("set role access_past")).rejects.toMatchObject({ code: "42501" });
  });
});
