import path from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { reloadable } from "../../../src/config/reloadable.ts";
import {
  changed,
  configYaml,
  goodEnv,
  goodFiles,
  load,
  operatorFiles,
  problemsOf,
} from "./operator-files.ts";

const line = "log: { level: warn }";
const withStore = (store: string) => changed(line, `${line}\n${store}`);

function configOf(files: Readonly<Record<string, string>>) {
  const loaded = load(files);
  if (loaded.kind === "refused") throw new Error(problemsOf(loaded).join("\n"));
  return loaded.config;
}

test("without it there is none, and an empty one is embedded beside the file", () => {
  expect(configOf(goodFiles).store).toBeUndefined();
  using operator = operatorFiles(withStore("store: {}"));
  const loaded = loadConfig(path.join(operator.directory, "rolegate.yaml"), goodEnv);
  expect(loaded).toMatchObject({
    config: {
      store: {
        place: { kind: "embedded", directory: path.join(operator.directory, "var/store") },
        whenDown: "refuse",
        grace: 30_000,
      },
    },
  });
});

test("one elsewhere has the rules of a database's upstream", async () => {
  const { store } = configOf(
    withStore(
      "store: { url: postgres://db.internal/rolegate?sslmode=verify-full, login: { user: s, password: { env: SHOP_LOGIN_PASSWORD } }, whenDown: continue, grace: 1min }",
    ),
  );
  expect(store).toMatchObject({
    place: {
      kind: "server",
      target: { host: "db.internal", tls: { mode: "verify-full" } },
      login: { user: "s" },
    },
    whenDown: "continue",
    grace: 60_000,
  });
  const place = store!.place;
  expect(place.kind === "server" && (await place.login.password())).toBe("hunter2");
});

const login = "login: { user: s, password: { env: SHOP_LOGIN_PASSWORD } }";

test.each([
  ["store: { url: postgres://localhost/s }", ["rolegate.yaml:34 store.login: missing"]],
  [`store: { ${login} }`, ["rolegate.yaml:34 store.login: goes with store.url"]],
  [
    `store: { url: postgres://localhost/s, directory: d, ${login} }`,
    ["rolegate.yaml:34 store.directory: two stores"],
  ],
  [`store: { url: postgres://db.internal/s, ${login} }`, ["rolegate.yaml:34 store.url: not a usable URL"]],
  [
    "store: { url: postgres://localhost/s, login: { user: s, password: hunter2 } }",
    ["rolegate.yaml:34 store.login.password: wrong value"],
  ],
  ["store: { whenDown: ignore }", ["rolegate.yaml:34 store.whenDown: wrong value"]],
  ["store: { grace: 30 }", ["rolegate.yaml:34 store.grace: wrong type"]],
])("%s", (store, problems) => {
  expect(problemsOf(load(withStore(store)))).toEqual(problems);
});

test("a password in its URL is not quoted", () => {
  const loaded = load(withStore(`store: { url: "postgres://s:hunter2@localhost/s", ${login} }`));
  expect(loaded.kind).toBe("refused");
  expect(JSON.stringify(loaded)).not.toContain("hunter2");
});

test("of a configuration that is read again only what can change while it runs is taken", () => {
  const running = configOf(goodFiles);
  const text = configYaml
    .replace("maxConnections: 50", "maxConnections: 7")
    .replace("db.internal:5432", "other.internal:5432")
    .replace("tenant: 1", "tenant: 2")
    .replace("127.0.0.1:6480", "127.0.0.1:6481");
  const { config, later } = reloadable(running, configOf({ ...goodFiles, "rolegate.yaml": text }));
  // The record is beside the file, and these two are not in one directory.
  expect(later.filter((setting) => setting !== "audit")).toEqual(["databases.shop", "admin", "limits"]);
  expect(config).toMatchObject({ limits: { maxConnections: 50 }, admin: running.admin });
  expect(config.databases.get("shop")?.upstream.host).toBe("db.internal");
  expect(config.identities.passwordUsers?.get("alice")?.attributes).toMatchObject({ tenant: 2 });
});
