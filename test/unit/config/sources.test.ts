import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { formatProblem } from "../../../src/document/problem.ts";
import {
  certificate,
  changed,
  configYaml,
  goodEnv,
  goodFiles,
  load,
  operatorFiles,
  problemsOf,
  verifier,
} from "./operator-files.ts";

describe("values from elsewhere", () => {
  test("come from variables and files, as the type that is wanted", () => {
    const yaml = configYaml
      .replace("127.0.0.1:6432", "{ env: LISTEN }")
      .replace("maxConnections: 50", "maxConnections: { env: MAX }")
      .replace(`"${verifier}"`, "{ file: alice.verifier }")
      .replace("tenant: 1", "tenant: { env: TENANT }")
      .replace("certificate: tls/server.crt", "certificate: { env: CERTIFICATE }")
      .replace("key: tls/server.key", "key: { file: tls/server.key }");
    const loaded = load(
      { ...goodFiles, "rolegate.yaml": yaml, "alice.verifier": `${verifier}\n` },
      { ...goodEnv, LISTEN: "[::1]:7000", MAX: "7", TENANT: "t1", CERTIFICATE: certificate },
    );
    expect(problemsOf(loaded)).toEqual([]);
    expect(loaded).toMatchObject({
      config: { listen: { address: { host: "::1", port: 7000 } }, limits: { maxConnections: 7 } },
    });
  });

  test("an attribute may be called env", () => {
    const loaded = load(changed("tenant: 1,", "tenant: 1, env: prod,"));
    expect(problemsOf(loaded)).toEqual([]);
    expect(problemsOf(load(changed("{ tenant: 1, groups: [analysts] }", "{ env: prod }")))).toEqual([]);
  });

  test("a password file is read each time", async () => {
    using operator = operatorFiles({
      ...changed("{ env: SHOP_LOGIN_PASSWORD }", "{ file: secret }"),
      secret: "one\n",
    });
    const loaded = loadConfig(path.join(operator.directory, "rolegate.yaml"), {});
    if (loaded.kind === "refused") throw new Error("refused");
    const password = loaded.config.databases.get("shop")?.login.password("analyst");
    expect(await password?.()).toBe("one");
    writeFileSync(path.join(operator.directory, "secret"), "two");
    expect(await password?.()).toBe("two");
    writeFileSync(path.join(operator.directory, "secret"), "");
    await expect(password?.()).rejects.toThrow("no longer holds a usable secret");
  });

  test("each role may have a secret of its own", async () => {
    const own = { ...changed("{ env: SHOP_LOGIN_PASSWORD }", '{ file: "secrets/{role}" }') };
    using operator = operatorFiles({ ...own, "secrets/analyst": "one\n" });
    const loaded = loadConfig(path.join(operator.directory, "rolegate.yaml"), {});
    if (loaded.kind === "refused") throw new Error(loaded.problems.map(formatProblem).join("\n"));
    expect(await loaded.config.databases.get("shop")?.login.password("analyst")()).toBe("one");
    expect(problemsOf(load(own))).toEqual([
      "rolegate.yaml:13 databases.shop.login.password: unreadable file",
    ]);
  });

  test("a command is run again at once when what it printed is wrong", async () => {
    const words = "[./secret]";
    using operator = operatorFiles(changed("{ env: SHOP_LOGIN_PASSWORD }", `{ command: ${words} }`));
    const script = path.join(operator.directory, "secret");
    const print = (text: string) => writeFileSync(script, `#!/bin/sh\necho ${text}\n`);
    print("one");
    chmodSync(script, 0o755);
    const loaded = loadConfig(path.join(operator.directory, "rolegate.yaml"), process.env);
    if (loaded.kind === "refused") throw new Error(loaded.problems.map(formatProblem).join("\n"));
    const password = loaded.config.databases.get("shop")!.login.password("analyst");
    print("two");
    expect(await password()).toBe("one");
    await expect.poll(() => password({ renew: true }), { timeout: 5_000 }).toBe("two");
    expect(await password()).toBe("two");
  });

  test("a command runs without a shell, in the configuration's directory", async () => {
    const words = "[./secret, '$(echo x); `id`', 'a b']";
    using operator = operatorFiles(changed("{ env: SHOP_LOGIN_PASSWORD }", `{ command: ${words} }`));
    const script = path.join(operator.directory, "secret");
    writeFileSync(script, '#!/bin/sh\nprintf "%s|%s\\n" "$1" "$2"\n');
    chmodSync(script, 0o755);
    const loaded = loadConfig(path.join(operator.directory, "rolegate.yaml"), process.env);
    if (loaded.kind === "refused") throw new Error(loaded.problems.map(formatProblem).join("\n"));
    expect(await loaded.config.databases.get("shop")?.login.password("analyst")()).toBe(
      "$(echo x); `id`|a b",
    );
  });
});

test("a huge file does not fill the memory", () => {
  expect(problemsOf(load({ ...goodFiles, "tls/server.crt": "x".repeat(1_048_577) }))).toEqual([
    "rolegate.yaml:4 listen.tls.certificate: the file is too large",
  ]);
});
