import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { answer, connectSecured, open } from "./raw-login.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

// Tokens that are bound to a client certificate (RFC 8705), as a password and by OAUTHBEARER.

const files = path.resolve(import.meta.dirname, "../fixtures/client-certificates");
const pem = (name: string) => readFileSync(path.join(files, name), "utf8");
const certificateOf = (name: string) => ({ cert: pem(`${name}.crt`), key: pem(`${name}.key`) });

let database: TestDatabase;
let issuer: TokenIssuer;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  issuer = await createTokenIssuer();
  const { certificate, key } = ecdsaSha256;
  const file = { tables: { t: { select: "all" } } };
  proxy = await startTestProxy({
    database,
    roles: { bound_jwt: { file }, bound_oauth: { file } },
    users: {},
    more: {
      listen: { address: "127.0.0.1:0", tls: { certificate, key, clientCa: pem("ca.crt") } },
      identities: [issuer.entry()],
      authentication: [{ user: "bound_oauth", method: "oauth" }, { method: "jwt" }],
    },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

const thumbprint = createHash("sha256")
  .update(new X509Certificate(pem("person.crt")).raw)
  .digest("base64url");

/** Whether a token with these claims logs in on a connection that shows this. */
async function accepted(role: string, claims: object, shown: object): Promise<boolean> {
  const login = await connectSecured(proxy.port, shown);
  login.send(open.startup(Object.entries({ user: role, database: database.name })));
  await login.until("R");
  const token = await issuer.sign({ ...claims });
  const bearer = `n,,\x01auth=Bearer ${token}\x01\x01`;
  login.send(role === "bound_jwt" ? answer.password(token) : answer.saslInitial("OAUTHBEARER", bearer));
  // AuthenticationOk, or the challenge that says no, or an error and the end.
  const last = (await login.until("R")).at(-1)!;
  login.socket.destroy();
  return last.toString("latin1", 0, 1) === "R" && last.readInt32BE(5) === 0;
}

describe.each(["bound_jwt", "bound_oauth"])("a token that is bound to a certificate (%s)", (role) => {
  const bound = { cnf: { "x5t#S256": thumbprint } };

  test("is believed on a connection that shows that certificate, and on no other", async () => {
    expect(await accepted(role, bound, certificateOf("person"))).toBe(true);
    expect(await accepted(role, bound, certificateOf("workload"))).toBe(false);
    expect(await accepted(role, bound, {})).toBe(false);
  });

  test("says nothing of tokens that are bound to none, and another binding is refused", async () => {
    expect(await accepted(role, {}, certificateOf("workload"))).toBe(true);
    expect(await accepted(role, {}, {})).toBe(true);
    expect(await accepted(role, { cnf: { jkt: thumbprint } }, certificateOf("person"))).toBe(false);
  });
});
