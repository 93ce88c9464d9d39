import path from "node:path";
import { expect, test } from "vitest";
import { loginUser } from "../../../src/config/config.ts";
import { chooseMethod } from "../../../src/identity/choose-method.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/document/problem.ts";
import {
  analystYaml,
  certificate,
  configYaml,
  goodEnv,
  goodFiles,
  key,
  load,
  operatorFiles,
  problemsOf,
  verifier,
} from "./operator-files.ts";

const defaultFailedLogins = {
  within: 600_000,
  perUser: 10,
  perNetwork: 100,
  lockFor: 600_000,
  perUserEverywhere: 1000,
};

test("a whole configuration is resolved", async () => {
  using operator = operatorFiles(goodFiles);
  const loaded = loadConfig(path.join(operator.directory, "rolegate.yaml"), goodEnv);
  if (loaded.kind === "refused") throw new Error(loaded.problems.map(formatProblem).join("\n"));
  const { config } = loaded;
  expect(config).toMatchObject({
    file: path.join(operator.directory, "rolegate.yaml"),
    listen: {
      address: { host: "127.0.0.1", port: 6432 },
      tls: { certificate: certificate.trimEnd(), mode: "require" },
    },
    admin: { address: { host: "127.0.0.1", port: 6480 } },
    audit: { directory: path.join(operator.directory, "var/audit") },
    limits: {
      maxConnections: 50,
      maxUnauthenticated: 200,
      authenticationTimeout: 5000,
      upstreamTimeout: 10_000,
      failedLogins: defaultFailedLogins,
    },
    log: { level: "warn" },
    access: [{ role: "analyst", database: "shop", file: "rolegate.yaml", line: 29 }],
  });
  expect(config.listen.tls?.key()).toBe(key.trimEnd());
  const shop = config.databases.get("shop");
  expect(shop).toMatchObject({
    upstream: {
      host: "db.internal",
      port: 5432,
      database: "shop",
      tls: { mode: "verify-full", rootCertificate: undefined },
    },
  });
  expect(shop?.roles.get("analyst")).toMatchObject({ file: "roles/analyst.yaml" });
  expect(await shop?.login.password("analyst")()).toBe("hunter2");
  expect(shop && loginUser(shop.login, "analyst")).toBe("rolegate_analyst");
  const { identities } = config;
  expect(identities.passwordUsers?.get("alice")).toMatchObject({
    verifier: { iterations: 4096 },
    attributes: { tenant: 1, groups: ["analysts"] },
  });
  expect(identities.jwt).toMatchObject([
    { issuer: "https://id.example.com", audience: ["rolegate"], nameClaim: ["email"], clockTolerance: 5 },
  ]);
  expect(identities.jwt[0]?.attributes).toEqual(
    new Map([
      ["tenant", ["org", "id"]],
      ["groups", ["groups"]],
    ]),
  );
  expect([...identities.attributes].toSorted()).toEqual(["groups", "tenant"]);
  const asked = (user: string) =>
    chooseMethod(
      { user, database: "shop", address: "127.0.0.1", encrypted: true, certified: false },
      identities.rules,
    )?.method;
  expect([asked("analyst"), asked("alice"), asked("a@example.com")]).toEqual(["jwt", "password", "jwt"]);
  expect(identities.plaintextTokensOnLoopback).toBe(false);
});

test("what is left out has its default", () => {
  const yaml = `databases: { shop: { upstream: "postgres://localhost/shop", login: { password: { env: SHOP_LOGIN_PASSWORD } } } }
identities: [{ type: password, users: { alice: { verifier: "${verifier}" } } }]
access: [{ role: analyst, database: shop, when: "true" }]
`;
  const loaded = load({ "rolegate.yaml": yaml, "roles/analyst.yaml": analystYaml });
  expect(problemsOf(loaded)).toEqual([]);
  expect(loaded).toMatchObject({
    config: {
      listen: { address: { host: "127.0.0.1", port: 6432 }, tls: undefined },
      admin: undefined,
      limits: {
        maxConnections: 1000,
        maxUnauthenticated: 200,
        authenticationTimeout: 30_000,
        upstreamTimeout: 10_000,
        failedLogins: defaultFailedLogins,
      },
      log: { level: "info" },
      identities: { jwt: [], plaintextTokensOnLoopback: false },
    },
  });
});

test("rules of authentication decide in their order, whatever the form of the name", () => {
  const rules = `authentication:
  - { tls: false, method: reject }
  - { address: [10.0.0.0/8], user: "svc-*", method: password }
  - { database: [shop], method: jwt }
`;
  const loaded = load({ ...goodFiles, "rolegate.yaml": `${configYaml}${rules}` });
  if (loaded.kind === "refused") throw new Error(loaded.problems.map(formatProblem).join("\n"));
  const asked = (user: string, address: string, encrypted = true) =>
    chooseMethod(
      { user, database: "shop", address, encrypted, certified: false },
      loaded.config.identities.rules,
    );
  expect(asked("svc-a", "10.1.2.3")).toMatchObject({ method: "password", source: "rolegate.yaml:36" });
  expect(asked("svc-a", "::ffff:10.1.2.3")?.method).toBe("password");
  expect(asked("svc-a", "192.0.2.1")?.method).toBe("jwt");
  expect(asked("svc-a", "10.1.2.3", false)?.method).toBe("reject");
});

test("an entry of access may have to be asked for, or be there for emergencies", () => {
  const more = `  - role: analyst
    database: shop
    when: "true"
    request: { maxDuration: 1h, approvals: 2, approvers: '"leads" in identity.groups' }
  - { role: analyst, database: shop, when: "true", breakGlass: { maxDuration: 15min } }
`;
  const text = configYaml.replace("audit: {", `${more}store: {}\naudit: {`);
  const loaded = load({ ...goodFiles, "rolegate.yaml": text });
  if (loaded.kind === "refused") throw new Error(loaded.problems.map(formatProblem).join("\n"));
  const [standing, asked, glass] = loaded.config.access.map(({ onRequest }) => onRequest);
  expect(standing).toBe(undefined);
  expect(asked).toMatchObject({
    kind: "approval",
    maxDuration: 3_600_000,
    approvals: 2,
    approvers: { text: '"leads" in identity.groups' },
    selfApproval: false,
  });
  expect(glass).toEqual({ kind: "break-glass", maxDuration: 900_000 });
});
