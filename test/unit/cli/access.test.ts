import path from "node:path";
import { describe, expect, test } from "vitest";
import { access, type AccessOptions } from "../../../src/cli/access.ts";
import { analystYaml, changed, goodEnv, operatorFiles, verifier } from "../config/operator-files.ts";

const entries = `access:
  - role: oncall
    database: shop
    when: '"oncall" in identity.groups && (identity.mfa || identity.method == "password") && identity.age < duration("8h")'
  - role: analyst
    database: shop
    when: '"analysts" in identity.groups && cidr("10.0.0.0/8").containsIP(connection.address)'
  - role: night
    database: shop
    when: 'now.getHours("Europe/Berlin") >= 22 || identity.tenant / 0 == 1'
roles: roles/
`;

const files: Record<string, string> = {
  ...changed("roles: roles/\n", ""),
  "roles/analyst.yaml": analystYaml,
  "roles/oncall.yaml":
    "role: oncall\ndatabase: shop\ntables:\n  t: { select: { rows: tenant = identity.tenant } }\n",
  "roles/night.yaml": "role: night\ndatabase: shop\ntables:\n  t: { select: all }\n",
};
files["rolegate.yaml"] = files["rolegate.yaml"]!.replace(/access:\n(?: {2}.*\n)+/, entries).replace(
  "      alice:",
  `      carol:\n        verifier: "${verifier}"\n      alice:`,
);

/** At 18:30 in Berlin. */
const at = "2026-07-01T16:30Z";

function run(options: Partial<AccessOptions>) {
  using operator = operatorFiles(files);
  const config = path.join(operator.directory, "rolegate.yaml");
  const usual = { config, attribute: [], address: "127.0.0.1", applicationName: "", tls: true, at };
  return access({ ...usual, ...options }, goodEnv, false);
}

test("a role that has to be asked for is none that may be taken", async () => {
  const more = `  - { role: night, database: shop, when: "true", request: { maxDuration: 1h, approvers: "true" } }
  - { role: oncall, database: shop, when: "true", breakGlass: { maxDuration: 1h } }
store: {}
roles: roles/
`;
  const text = files["rolegate.yaml"]!.replace("roles: roles/\n", more);
  using operator = operatorFiles({ ...files, "rolegate.yaml": text });
  const config = path.join(operator.directory, "rolegate.yaml");
  const options = {
    config,
    as: "alice",
    attribute: [],
    address: "10.1.2.3",
    applicationName: "",
    tls: true,
    at,
  };
  const { out } = await access(options, goodEnv, false);
  expect(out).toContain("  database shop: role analyst\n");
  expect(out).toContain("night, by rolegate.yaml:38: fits, and has to be asked for\n");
  expect(out).toContain("oncall, by rolegate.yaml:39: fits, by breaking the glass\n");
});

describe("rolegate access", () => {
  test("says which part of a condition keeps a password user from a role", async () => {
    expect(await run({ as: "alice", address: "10.1.2.3" })).toEqual({
      exitCode: 0,
      err: "",
      out: `alice, by password: tenant 1, groups ["analysts"]
  database shop: role analyst
    oncall, by rolegate.yaml:31: does not fit
      false  all of
        false  "oncall" in identity.groups
        true   any of
          false  identity.mfa
          true   identity.method == "password"
        true   identity.age < duration("8h")
    analyst, by rolegate.yaml:34: fits
      true   all of
        true   "analysts" in identity.groups
        true   cidr("10.0.0.0/8").containsIP(connection.address)
    night, by rolegate.yaml:37: does not fit
      ?      any of
        false  now.getHours("Europe/Berlin") >= 22
        ?      (identity.tenant / 0) == 1  (fails: division by zero)

taken: at 2026-07-01T16:30:00.000Z, from 10.1.2.3 over TLS, application_name ""
`,
    });
  });

  test("takes a token's attributes, factors, and age, and names what is not there", async () => {
    const oncall = { as: "bob@example.com", attribute: ['groups=["oncall"]'], mfa: true };
    const refused = await run(oncall);
    expect(refused.exitCode).toBe(1);
    expect(refused.out).toContain('bob@example.com, by a token, several factors: groups ["oncall"]\n');
    // The condition fits, and the role's rules need an attribute that is not there.
    expect(refused.out).toContain("oncall, by rolegate.yaml:31: fits\n      refused: ");
    const whole = { ...oncall, attribute: [...oncall.attribute, "tenant=1"] };
    expect((await run(whole)).out).toContain("  database shop: role oncall\n");
    expect((await run({ ...whole, signedIn: "9h" })).out).toContain('false  identity.age < duration("8h")\n');
    expect((await run({ ...whole, mfa: false })).out).toContain("  database shop: no role\n");
    expect((await run({ as: "bob@example.com", attribute: ["tenant=1"] })).out).toContain(
      '?      "oncall" in identity.groups  (there is no identity.groups)\n',
    );
    expect((await run({ ...whole, at: "2026-07-01T21:30Z" })).out).toContain(
      "role oncall, and may take night\n",
    );
  });

  test("without a name, says it of every password user in short", async () => {
    const { out, exitCode } = await run({ address: "10.1.2.3" });
    expect(exitCode).toBe(1);
    expect(out).toBe(`carol, by password
  database shop: no role

alice, by password: tenant 1, groups ["analysts"]
  database shop: role analyst

taken: at 2026-07-01T16:30:00.000Z, from 10.1.2.3 over TLS, application_name ""
`);
  });

  test("prints it as JSON", async () => {
    const { out } = await run({ as: "alice", json: true });
    expect(JSON.parse(out)).toMatchObject({
      time: "2026-07-01T16:30:00.000Z",
      connection: { address: "127.0.0.1", tls: true, applicationName: "" },
      identities: [
        {
          identity: { name: "alice", method: "password", mfa: false, signedIn: "2026-07-01T16:30:00.000Z" },
          databases: [
            {
              database: "shop",
              roles: [],
              entries: [
                { role: "oncall", place: "rolegate.yaml:31", fits: false, because: { kind: "all of" } },
                {
                  role: "analyst",
                  because: {
                    parts: [{ outcome: { kind: "fits" } }, { outcome: { kind: "does not fit" } }],
                  },
                },
                { because: { outcome: { kind: "failed", reason: "division by zero" } } },
              ],
            },
          ],
        },
      ],
    });
  });

  test.each<[Partial<AccessOptions>, string]>([
    [{ as: "zoe", method: "password" }, "--as: found zoe, expected "],
    [{ as: "alice", mfa: true }, "--mfa: a password is one factor"],
    [
      { as: "zoe", method: "certificate" },
      "--method: found certificate, expected one of jwt, as in identities",
    ],
    [{ mfa: true }, "expected --as"],
    [{ as: "alice", database: "shpo" }, "did you mean shop?"],
    [{ as: "alice", address: "10.0.0" }, "expected an IP address"],
    [{ as: "alice", at: "noon" }, "--at: found noon"],
    [{ as: "alice", signedIn: "yesterday" }, "--signed-in: found yesterday"],
    [{ as: "zoe", attribute: ["tenat=1"] }, "did you mean tenant?"],
  ])("%j is refused", async (options, message) => {
    await expect(run(options)).rejects.toThrow(message);
  });
});
