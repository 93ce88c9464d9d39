import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import {
  analystYaml,
  changed,
  configYaml,
  goodEnv,
  goodFiles,
  load,
  otherKey,
  problemsOf,
  verifier,
} from "./operator-files.ts";

const database = (line: string) =>
  `  shop:\n    upstream: postgres://localhost/shop\n    login: { ${line}password: { env: SHOP_LOGIN_PASSWORD } }\n`;
const shop = configYaml.slice(configYaml.indexOf("  shop:"), configYaml.indexOf("identities:"));
const access = configYaml.slice(configYaml.indexOf("  - role:"), configYaml.indexOf("audit:"));
const jwt = configYaml.slice(configYaml.indexOf("  - type: jwt"), configYaml.indexOf("  - type: password"));
const users = configYaml.slice(configYaml.indexOf("  - type: password"), configYaml.indexOf("access:"));
const tls = configYaml.slice(configYaml.indexOf("  tls:"), configYaml.indexOf("admin:"));

const certificates = path.resolve(import.meta.dirname, "../../fixtures/client-certificates");

/** What is changed, into what, and the problems that this must give: all of them, and no other. */
const refused: readonly [
  line: string,
  replacement: string,
  problems: string[],
  files?: Record<string, string | Uint8Array>,
][] = [
  // keys and types
  ["log: { level: warn }", "logs: { level: warn }", ["rolegate.yaml:33 logs: unknown key"]],
  ["  address: 127.0.0.1:6432", "  adress: 127.0.0.1:6432", ["rolegate.yaml:2 listen.adress: unknown key"]],
  ["  address: 127.0.0.1:6432", "  address: 6432", ["rolegate.yaml:2 listen.address: wrong type"]],
  [
    "  address: 127.0.0.1:6432",
    "  proxyProtocol: { trusted: [10.0.0.0/8, balancer.internal] }",
    ["rolegate.yaml:2 listen.proxyProtocol.trusted: wrong value"],
  ],
  [
    "  address: 127.0.0.1:6432",
    "  proxyProtocol: { trusted: [] }",
    ["rolegate.yaml:2 listen.proxyProtocol.trusted: wrong value"],
  ],
  ["  address: 127.0.0.1:6432", '  address: "6432"', ["rolegate.yaml:2 listen.address: wrong value"]],
  ["admin: { address: 127.0.0.1:6480 }", "admin: 127.0.0.1:6480", ["rolegate.yaml:7 admin: wrong type"]],
  ["admin: { address: 127.0.0.1:6480 }", "admin: {}", ["rolegate.yaml:7 admin.address: missing"]],
  ["log: { level: warn }", "log: { level: trace }", ["rolegate.yaml:33 log.level: wrong value"]],
  ["maxConnections: 50", "maxConnections: 0", ["rolegate.yaml:32 limits.maxConnections: wrong value"]],
  [
    "maxConnections: 50",
    "maxUnauthenticated: 20, maxUnauthenticatedPerNetwork: 21",
    ["rolegate.yaml:32 limits.maxUnauthenticatedPerNetwork: has no effect"],
  ],
  [
    "maxConnections: 50",
    "failedLogins: { maxDelay: 5s }",
    ["rolegate.yaml:32 limits.failedLogins.maxDelay: has no effect"],
  ],
  [
    "maxConnections: 50",
    "failedLogins: { trusted: [10.0.0.0/33], perUser: 0, lockFor: 60 }",
    [
      "rolegate.yaml:32 limits.failedLogins.perUser: wrong value",
      "rolegate.yaml:32 limits.failedLogins.lockFor: wrong type",
      "rolegate.yaml:32 limits.failedLogins.trusted: wrong value",
    ],
  ],
  ["maxConnections: 50", "maxConnections: 1.5", ["rolegate.yaml:32 limits.maxConnections: wrong type"]],
  ["maxConnections: 50", "maxConnections: many", ["rolegate.yaml:32 limits.maxConnections: wrong type"]],
  ["maxConnections: 50", "maxConections: 50", ["rolegate.yaml:32 limits.maxConections: unknown key"]],
  [
    "authenticationTimeout: 5s",
    "authenticationTimeout: 5",
    ["rolegate.yaml:32 limits.authenticationTimeout: wrong type"],
  ],
  [
    "log: { level: warn }",
    "log: { level: warn }\nlog: { level: info }",
    ["rolegate.yaml:34 : duplicate key"],
  ],
  // authentication
  ...(
    [
      ["[]", "authentication: wrong value"],
      ["[{ user: alice }]", "authentication[0].method: missing"],
      ["[{ method: trust }]", "authentication[0].method: wrong value"],
      ["[{ method: jwt, adress: 10.0.0.0/8 }]", "authentication[0].adress: unknown key"],
      ["[{ method: jwt, address: [10.0.0.0/40] }]", "authentication[0].address: wrong value"],
      ["[{ method: jwt, database: shoop }]", "authentication[0].database: unknown database"],
      ["[{ method: reject }, { method: jwt, user: alice }]", "authentication[1]: never reached"],
      [
        "[{ certificate: false, method: jwt }, { method: reject }]",
        "authentication[0].certificate: nobody could show one",
      ],
    ] as const
  ).map(([rules, problem]): [string, string, string[]] => [
    "log: { level: warn }",
    `log: { level: warn }\nauthentication: ${rules}`,
    [`rolegate.yaml:34 ${problem}`],
  ]),
  // requests
  ...(
    [
      ["request: {}", "access[0].request.maxDuration: missing", "access[0].request.approvers: missing"],
      ["request: { maxDuration: 60, approvers: 'true' }", "access[0].request.maxDuration: wrong type"],
      [
        "request: { maxDuration: 1h, approvers: 'true', approvals: 0 }",
        "access[0].request.approvals: wrong value",
      ],
      [
        "request: { maxDuration: 1h, approvers: 'true', approvals: 6 }",
        "access[0].request.approvals: wrong value",
      ],
      [
        "request: { maxDuration: 1h, approvers: 'true', selfAproval: true }",
        "access[0].request.selfAproval: unknown key",
      ],
      [
        "request: { maxDuration: 1h, approvers: '\"leads\" in identity.grups' }",
        "access[0].request.approvers: not a usable condition",
      ],
      [
        "request: { maxDuration: 1h, approvers: 'request.rolle == identity.name' }",
        "access[0].request.approvers: not a usable condition",
      ],
      ["breakGlass: {}", "access[0].breakGlass.maxDuration: missing"],
      ["breakGlass: { maxDuration: 1d }", "access[0].breakGlass.maxDuration: wrong value"],
      [
        "request: { maxDuration: 1h, approvers: 'true' }, breakGlass: { maxDuration: 1h }",
        "access[0]: two ways in one entry",
      ],
    ] as const
  ).map(([terms, ...problems]): [string, string, string[]] => [
    "audit: { directory: var/audit }",
    `  - { role: analyst, database: shop, when: "true", ${terms} }\naudit: { directory: var/audit }\nstore: {}`,
    problems.map((problem) => `rolegate.yaml:30 ${problem.replace("access[0]", "access[1]")}`),
  ]),
  [
    "audit: { directory: var/audit }",
    '  - { role: analyst, database: shop, when: "true", breakGlass: { maxDuration: 1h } }\naudit: {}',
    ["rolegate.yaml:30 access[1].breakGlass: needs a store"],
  ],
  [
    "    when: '\"analysts\" in identity.groups'",
    `    when: "request.role == identity.name"`,
    ["rolegate.yaml:29 access[0].when: not a usable condition"],
  ],
  [
    "  shop:\n",
    "  rolegate:\n",
    [
      "rolegate.yaml:9 databases.rolegate: a name of rolegate's own",
      "rolegate.yaml:28 access[0].database: unknown database",
      "analyst.yaml:2 database: unknown database",
    ],
  ],
  // certificates
  [
    "    mode: require",
    "    mode: require\n    clientCa: ca.crt",
    ["rolegate.yaml:7 listen.tls.clientCa: unreadable file"],
  ],
  [
    "    mode: require",
    "    mode: require\n    clientCrl: roles/analyst.yaml",
    ["rolegate.yaml:7 listen.tls.clientCrl: not a revocation list"],
  ],
  [
    "    mode: require",
    "    mode: require\n    clientCrl: crl.pem",
    ["rolegate.yaml:7 listen.tls.clientCrl: has no effect"],
    { "crl.pem": readFileSync(path.join(certificates, "crl.pem")) },
  ],
  [
    "  - type: password",
    '  - type: certificate\n    match: [{ dns: "{host}.example.com", name: "{host}" }]\n  - type: password',
    ["rolegate.yaml:21 identities[1]: nobody could show one"],
  ],
  ...(
    [
      ["{}", ".name: missing"],
      ['{ name: "x" }', ": it would fit every certificate"],
      ['{ dns: "{a}{b}", name: "{a}" }', ".dns: not a usable pattern"],
      ['{ dns: "{a}.b", name: "{c}" }', ": unknown capture"],
      ['{ dns: "{a}.b", uri: "c:/{a}", name: "{a}" }', ": not usable together"],
      ['{ dns: "{a}.b", name: "{a}", attributes: { name: x } }', ".attributes.name: not a usable key"],
      ['{ dns: "{a}.b", name: "{a}", attributes: { x: "{b}" } }', ": unknown capture"],
      ['{ subject: { "2.5.4.3": "{a}" }, name: "{a}" }', ".subject.2.5.4.3: not a usable key"],
    ] as const
  ).map(([entry, problem]): [string, string, string[]] => [
    "  - type: password",
    `  - type: certificate\n    match: [${entry}]\n  - type: password`,
    [
      `rolegate.yaml:22 identities[1].match[0]${problem}`,
      "rolegate.yaml:21 identities[1]: nobody could show one",
    ].toSorted((a, b) => (a.includes(":21") ? -1 : b.includes(":21") ? 1 : 0)),
  ]),
  [
    "  - type: password",
    "  - type: ldap\n  - type: password",
    ["rolegate.yaml:21 identities[1].type: wrong value"],
  ],
  ["  - type: password", "  - {}\n  - type: password", ["rolegate.yaml:21 identities[1].type: missing"]],
  ["  - type: password", "  - password\n  - type: password", ["rolegate.yaml:21 identities[1]: wrong type"]],
  // TLS
  [
    "certificate: tls/server.crt",
    "certificate: tls/nope.crt",
    ["rolegate.yaml:4 listen.tls.certificate: unreadable file"],
  ],
  [
    "certificate: tls/server.crt",
    "certificate: tls",
    ["rolegate.yaml:4 listen.tls.certificate: unreadable file"],
  ],
  [
    "certificate: tls/server.crt",
    "certificate: roles/analyst.yaml",
    ["rolegate.yaml:4 listen.tls.certificate: not a certificate"],
  ],
  ["key: tls/server.key", "key: tls/server.crt", ["rolegate.yaml:5 listen.tls.key: not a usable key"]],
  [
    "key: tls/server.key",
    "key: tls/other.key",
    ["rolegate.yaml:5 listen.tls.key: wrong key"],
    { "tls/other.key": otherKey },
  ],
  ["    key: tls/server.key\n", "", ["rolegate.yaml:3 listen.tls.key: missing"]],
  ["    mode: require", "    mode: prefer", ["rolegate.yaml:6 listen.tls.mode: wrong value"]],
  // databases and their logins
  [
    shop,
    "",
    [
      "rolegate.yaml:8 databases: wrong value",
      "rolegate.yaml:23 access[0].database: unknown database",
      "analyst.yaml:2 database: unknown database",
    ],
  ],
  [
    "upstream: postgres://db.internal:5432/shop?sslmode=verify-full",
    "upstream: postgres://db.internal/shop",
    ["rolegate.yaml:10 databases.shop.upstream: not a usable URL"],
  ],
  [
    "?sslmode=verify-full",
    "?sslmode=verify-full&sslrootcert=ca.crt",
    ["rolegate.yaml:10 databases.shop.upstream: unreadable file"],
  ],
  [
    "?sslmode=verify-full",
    "?sslmode=verify-full&sslrootcert=rolegate.yaml",
    ["rolegate.yaml:10 databases.shop.upstream: not a certificate"],
  ],
  ['user: "rolegate_{role}"', "user: rolegate", ["rolegate.yaml:12 databases.shop.login.user: wrong value"]],
  [
    'user: "rolegate_{role}"',
    'user: "{database}_{role}"',
    ["rolegate.yaml:12 databases.shop.login.user: wrong value"],
  ],
  [
    'user: "rolegate_{role}"',
    'user: "{role}"',
    ["rolegate.yaml:12 databases.shop.login.user: the login is itself a role"],
  ],
  [
    'user: "rolegate_{role}"',
    `user: "${"x".repeat(60)}_{role}"`,
    ["rolegate.yaml:12 databases.shop.login.user: the login is too long"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    "password: hunter2",
    ["rolegate.yaml:13 databases.shop.login.password: wrong value"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    "password: { env: NOPE }",
    ["rolegate.yaml:13 databases.shop.login.password: missing variable"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    "password: { env: EMPTY }",
    ["rolegate.yaml:13 databases.shop.login.password: empty value"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    'password: { env: "hunter 2" }',
    ["rolegate.yaml:13 databases.shop.login.password: wrong value"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    "password: { file: nope }",
    ["rolegate.yaml:13 databases.shop.login.password: unreadable file"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    "password: { env: A, file: b }",
    ["rolegate.yaml:13 databases.shop.login.password: wrong value"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    'password: { command: "echo hunter2" }',
    ["rolegate.yaml:13 databases.shop.login.password: wrong value"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    "password: { command: [./no-such-program] }",
    ["rolegate.yaml:13 databases.shop.login.password: the command failed"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    "password: { command: ['false'] }",
    ["rolegate.yaml:13 databases.shop.login.password: the command failed"],
  ],
  [
    "password: { env: SHOP_LOGIN_PASSWORD }",
    "password: { command: ['true'] }",
    ["rolegate.yaml:13 databases.shop.login.password: empty value"],
  ],
  [
    shop,
    `${database('user: "a_{role}", ')}  two:\n    upstream: postgres://LOCALHOST/two\n    login: { user: "a_x_{role}", password: { env: SHOP_LOGIN_PASSWORD } }\n`,
    [
      "rolegate.yaml:14 databases.two.login.user: two roles share a login",
      "two.yaml:1 role: nothing leads to this role",
      "x_two.yaml:1 role: nothing leads to this role",
    ],
    { "roles/two.yaml": "role: two\ndatabase: two\n", "roles/x_two.yaml": "role: x_two\ndatabase: shop\n" },
  ],
  // identities
  [
    jwt + users,
    "",
    ["rolegate.yaml:14 identities: wrong value", "rolegate.yaml:18 access[0].when: not a usable condition"],
  ],
  ["    issuer: https://id.example.com\n", "", ["rolegate.yaml:15 identities[0].issuer: missing"]],
  ["    audience: rolegate\n", "", ["rolegate.yaml:15 identities[0].audience: missing"]],
  ["    audience: rolegate", "    audience: []", ["rolegate.yaml:17 identities[0].audience: wrong value"]],
  ["jwks: https://id", "jwks: http://id", ["rolegate.yaml:18 identities[0].jwks: wrong value"]],
  ["jwks: https://id", "jwks: https://user:hunter2@id", ["rolegate.yaml:18 identities[0].jwks: wrong value"]],
  ["jwks: https://id", "jwks: file:///id", ["rolegate.yaml:18 identities[0].jwks: wrong value"]],
  [
    "jwks: https://id.example.com/jwks.json",
    "jwks: jwks.json",
    ["rolegate.yaml:18 identities[0].jwks: unreadable file"],
  ],
  [
    "jwks: https://id.example.com/jwks.json",
    "jwks: rolegate.yaml",
    ["rolegate.yaml:18 identities[0].jwks: not a usable key set"],
  ],
  ["    name: email", "    name: org..id", ["rolegate.yaml:19 identities[0].name: wrong value"]],
  [
    "    name: email",
    "    name: email\n    algorithms: [RS256, HS256, none]",
    [
      "rolegate.yaml:20 identities[0].algorithms[1]: wrong value",
      "rolegate.yaml:20 identities[0].algorithms[2]: wrong value",
    ],
  ],
  [
    "    name: email",
    "    name: email\n    algorithms: []",
    ["rolegate.yaml:20 identities[0].algorithms: wrong value"],
  ],
  [
    "    name: email",
    "    name: email\n    clockTolerance: 1h",
    ["rolegate.yaml:20 identities[0].clockTolerance: wrong value"],
  ],
  [
    "    name: email",
    "    name: email\n    secret: hunter2",
    ["rolegate.yaml:20 identities[0].secret: unknown key"],
  ],
  [
    "{ tenant: org.id, groups: groups }",
    "{ tenant: org.id, name: sub }",
    ["rolegate.yaml:20 identities[0].attributes.name: not a usable key"],
  ],
  [
    "{ tenant: org.id, groups: groups }",
    "{ tenant: org.id, orgId: sub, method: x }",
    [
      "rolegate.yaml:20 identities[0].attributes.orgId: not a usable key",
      "rolegate.yaml:20 identities[0].attributes.method: not a usable key",
    ],
  ],
  [
    "    name: email",
    "    name: email\n    allowPlaintextOnLoopback: true",
    ["rolegate.yaml:20 identities[0].allowPlaintextOnLoopback: has no effect"],
  ],
  [tls, "", ["rolegate.yaml:11 identities[0]: no token could ever arrive"]],
  [jwt, jwt + jwt, ["rolegate.yaml:22 identities[1].issuer: two entries for one issuer"]],
  [tls, "  tls: { certificate: tls/server.crt, key: tls/server.key, mode: optional }\n", []],
  [
    users,
    `${users}  - { type: jwt, issuer: b, audience: c, jwks: "https://x", allowPlaintextOnLoopback: true }\n`,
    [
      "rolegate.yaml:26 identities[2].allowPlaintextOnLoopback: entries differ",
      "rolegate.yaml:26 identities[2].allowPlaintextOnLoopback: has no effect",
    ],
  ],
  [verifier, "hunter2", ["rolegate.yaml:24 identities[1].users.alice.verifier: not a verifier"]],
  [
    verifier,
    verifier.replace("4096", "0"),
    ["rolegate.yaml:24 identities[1].users.alice.verifier: not a verifier"],
  ],
  [`        verifier: "${verifier}"\n`, "", ["rolegate.yaml:23 identities[1].users.alice.verifier: missing"]],
  [
    `        verifier: "${verifier}"\n`,
    "        password: hunter2\n",
    [
      "rolegate.yaml:23 identities[1].users.alice.verifier: missing",
      "rolegate.yaml:24 identities[1].users.alice.password: unknown key",
    ],
  ],
  [
    "{ tenant: 1, groups: [analysts] }",
    "{ tenant: { id: 1 }, groups: [[a]] }",
    [
      "rolegate.yaml:25 identities[1].users.alice.attributes.tenant: wrong value",
      "rolegate.yaml:25 identities[1].users.alice.attributes.groups[0]: wrong value",
    ],
  ],
  [
    "{ tenant: 1, groups: [analysts] }",
    "{ tenant: 9007199254740993, groups: [a] }",
    ["rolegate.yaml:25 : the number would lose digits"],
  ],
  ["      alice:", '      "alice ":', ["rolegate.yaml:23 identities[1].users.alice : not a usable name"]],
  [
    "      alice:",
    "      alice@example.com:",
    ["rolegate.yaml:23 identities[1].users.alice@example.com: the user could never log in"],
  ],
  [
    "      alice:",
    "      analyst:",
    ["rolegate.yaml:23 identities[1].users.analyst: the user could never log in"],
  ],
  [
    "    users:\n",
    "    user:\n",
    ["rolegate.yaml:21 identities[1].users: missing", "rolegate.yaml:22 identities[1].user: unknown key"],
  ],
  [
    "access:\n",
    `  - { type: password, users: { alice: { verifier: "${verifier}" } } }\naccess:\n`,
    ["rolegate.yaml:26 identities[2].users.alice: two entries for one user"],
  ],
  // access
  [access, "", ["rolegate.yaml:26 access: wrong value", "analyst.yaml:1 role: nothing leads to this role"]],
  [
    "  - role: analyst",
    "  - role: analyts",
    [
      "rolegate.yaml:27 access[0].role: no role file for this role and database",
      "analyst.yaml:1 role: nothing leads to this role",
    ],
  ],
  [
    "    database: shop",
    "    database: sop",
    [
      "rolegate.yaml:28 access[0].database: unknown database",
      "analyst.yaml:1 role: nothing leads to this role",
    ],
  ],
  ["    when: '\"analysts\" in identity.groups'\n", "", ["rolegate.yaml:27 access[0].when: missing"]],
  [
    "    when: '\"analysts\" in identity.groups'",
    "    when: true",
    ["rolegate.yaml:29 access[0].when: wrong type"],
  ],
  ["identity.groups'", "identity.grups'", ["rolegate.yaml:29 access[0].when: not a usable condition"]],
  [
    "    when: '\"analysts\" in identity.groups'",
    "    when: |\n      connection.tls &&\n      conection.tls",
    ["rolegate.yaml:31 access[0].when: not a usable condition"],
  ],
  [
    "    when: '\"analysts\" in identity.groups'",
    "    when: '1 + 1'",
    ["rolegate.yaml:29 access[0].when: not a usable condition"],
  ],
  // role files
  [
    "roles: roles/",
    "roles: nope/",
    [
      "rolegate.yaml:27 access[0].role: no role file for this role and database",
      "rolegate.yaml:31 roles: unreadable directory",
    ],
  ],
  [
    "roles: roles/",
    "roles: tls/",
    [
      "rolegate.yaml:27 access[0].role: no role file for this role and database",
      "rolegate.yaml:31 roles: no role file",
    ],
  ],
  [
    "roles: roles/",
    "roles: rolegate.yaml",
    [
      "rolegate.yaml:27 access[0].role: no role file for this role and database",
      "rolegate.yaml:31 roles: unreadable directory",
    ],
  ],
  [
    "",
    "",
    ["support.yaml:3 role: nothing leads to this role"],
    { "roles/support.yaml": "database: shop\n\nrole: support\n" },
  ],
  [
    "",
    "",
    ["b.yaml:2 role: two files for one role"],
    { "roles/b.yaml": "#\nrole: analyst\ndatabase: shop\n" },
  ],
  ["", "", ["b.yml:2 database: unknown database"], { "roles/b.yml": "role: analyst\ndatabase: shp\n" }],
  [
    "",
    "",
    ["rolegate.yaml:31 roles: a directory among the role files"],
    { "roles/more/b.yaml": analystYaml },
  ],
  ["", "", ["b.yaml:1 : bad YAML"], { "roles/b.yaml": "role: [" }],
  [
    "  - role: analyst",
    "  - role: analyts",
    ["b.yaml:1 : bad YAML", "analyst.yaml:1 role: nothing leads to this role"],
    { "roles/b.yaml": "role: [" },
  ],
  ["", "", ["b.yaml:1 : unreadable file"], { "roles/b.yaml": Uint8Array.of(0xff, 0xfe, 0x80) }],
  [
    "  - role: analyst",
    "  - role: pg_monitor",
    ["analyst.yaml:1 role: not a usable role"],
    { "roles/analyst.yaml": "role: pg_monitor\ndatabase: shop\n" },
  ],
  [
    "  - role: analyst",
    "  - role: none",
    ["analyst.yaml:1 role: not a usable role"],
    { "roles/analyst.yaml": "role: none\ndatabase: shop\n" },
  ],
  ["", "", [], { "roles/README.md": "# roles", "roles/.b.yaml.swp": "x" }],
];

describe("one change gives exactly these problems", () => {
  test.each(refused)("%j → %j", (line, replacement, expected, files = {}) => {
    const loaded = load({ ...changed(line, replacement), ...files }, { ...goodEnv, EMPTY: "" });
    expect(problemsOf(loaded).toSorted()).toEqual(expected.toSorted());
  });
});

test("problems of every part are reported at once, in the order of the files and lines", () => {
  const broken = configYaml
    .replace("127.0.0.1:6432", "nowhere")
    .replace("tls/server.crt", "nope.crt")
    .replace("sslmode=verify-full", "sslmode=maybe")
    .replace("audience", "audiences")
    .replace(verifier, "hunter2")
    .replace("identity.groups", "identity.grups")
    .replace("maxConnections", "connections")
    .replace("level: warn", "level: loud");
  expect(problemsOf(load({ ...goodFiles, "rolegate.yaml": broken, "roles/b.yaml": "role: 1\n" }))).toEqual([
    "rolegate.yaml:2 listen.address: wrong value",
    "rolegate.yaml:4 listen.tls.certificate: unreadable file",
    "rolegate.yaml:10 databases.shop.upstream: not a usable URL",
    "rolegate.yaml:15 identities[0].audience: missing",
    "rolegate.yaml:17 identities[0].audiences: unknown key",
    "rolegate.yaml:24 identities[1].users.alice.verifier: not a verifier",
    "rolegate.yaml:29 access[0].when: not a usable condition",
    "rolegate.yaml:32 limits.connections: unknown key",
    "rolegate.yaml:33 log.level: wrong value",
    "b.yaml:1 role: wrong type",
    "b.yaml:1 database: missing",
  ]);
});

describe("the file itself", () => {
  test.each([
    ["missing", {}, "rolegate.yaml:1 : unreadable file"],
    ["empty", { "rolegate.yaml": "" }, "rolegate.yaml:1 : the file is empty"],
    ["no mapping", { "rolegate.yaml": "- a\n" }, "rolegate.yaml:1 : wrong type"],
    ["not UTF-8", { "rolegate.yaml": Uint8Array.of(0xff) }, "rolegate.yaml:1 : unreadable file"],
    ["a directory", { "rolegate.yaml/x": "" }, "rolegate.yaml:1 : unreadable file"],
  ])("%s", (_name, files, problem) => {
    expect(problemsOf(load(files))).toEqual([problem]);
  });

  test("is named in problems as the command named it", () => {
    const loaded = loadConfig("no/such/rolegate.yaml", {});
    expect(loaded).toMatchObject({ problems: [{ file: "no/such/rolegate.yaml", found: "no such file" }] });
  });
});
