import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  contextDirectory,
  exclusively,
  readContext,
  removeContext,
  writeContext,
} from "../../../src/client/context-files.ts";
import type { Context } from "../../../src/client/context.ts";
import { operatorFiles } from "../config/operator-files.ts";

const context: Context = {
  signIn: {
    issuer: "https://id.example.com",
    clientId: "cli",
    scope: "openid",
    parameters: {},
    token: "access",
  },
  place: { host: "db.example.com", port: 6432, database: "shop", sslmode: "verify-full" },
  tokens: { access: "hunter2", refresh: "hunter3" },
};

const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);

describe("a context's file", () => {
  test("is its owner's alone, in a directory that is, and reads back the same", () => {
    using home = operatorFiles({});
    const directory = path.join(home.directory, "config", "rolegate");
    writeContext(directory, "shop", context);
    expect([mode(directory), mode(path.join(directory, "shop.json"))]).toEqual(["700", "600"]);
    expect(readContext(directory, "shop")).toEqual(context);
    writeContext(directory, "shop", { ...context, tokens: { access: "other" } });
    expect(readContext(directory, "shop")?.tokens).toEqual({ access: "other" });
    expect(readdirSync(directory)).toEqual(["shop.json"]);
    expect([removeContext(directory, "shop"), removeContext(directory, "shop")]).toEqual([true, false]);
    expect(readContext(directory, "shop")).toBeUndefined();
  });

  test.each([0o640, 0o604, 0o620, 0o777])("is refused with permissions %o", (permissions) => {
    using home = operatorFiles({});
    const directory = path.join(home.directory, "rolegate");
    writeContext(directory, "shop", context);
    chmodSync(path.join(directory, "shop.json"), permissions);
    expect(() => readContext(directory, "shop")).toThrow(
      `found permissions 0${permissions.toString(8)}, expected 0600`,
    );
  });

  test("is neither read nor written in a directory of which others could change the files", () => {
    using home = operatorFiles({});
    const directory = path.join(home.directory, "rolegate");
    writeContext(directory, "shop", context);
    chmodSync(directory, 0o770);
    expect(() => readContext(directory, "shop")).toThrow("found permissions 0770, expected 0700");
    expect(() => writeContext(directory, "shop", context)).toThrow("found permissions 0770, expected 0700");
  });

  test("is no link, which could lead to somebody else's", () => {
    using home = operatorFiles({});
    const [directory, elsewhere] = ["rolegate", "elsewhere"].map((name) => path.join(home.directory, name));
    writeContext(elsewhere!, "shop", context);
    mkdirSync(directory!, { mode: 0o700 });
    symlinkSync(path.join(elsewhere!, "shop.json"), path.join(directory!, "shop.json"));
    expect(() => readContext(directory!, "shop")).toThrow("ELOOP");
  });

  test.each(["", "{", "{}", '{"tokens":{"access":"hunter2"}}', JSON.stringify({ ...context, more: 1 })])(
    "that holds %j is refused, without a word of it",
    (text) => {
      using home = operatorFiles({});
      const directory = path.join(home.directory, "rolegate");
      writeContext(directory, "shop", context);
      writeFileSync(path.join(directory, "shop.json"), text);
      const read = () => readContext(directory, "shop");
      expect(read).toThrow("expected what rolegate login wrote");
      expect(read).not.toThrow("hunter2");
    },
  );

  test.each(["", ".", "..", "../shop", "a/b", ".hidden", "-n", "a b", "x".repeat(65), "a\0b"])(
    "cannot be called %j",
    (name) => {
      using home = operatorFiles({});
      expect(() => readContext(home.directory, name)).toThrow("--name: expected letters");
      expect(() => writeContext(home.directory, name, context)).toThrow("--name: expected letters");
    },
  );
});

test("one command at a time renews a sign-in, and one that was killed keeps nobody out", async () => {
  using home = operatorFiles({});
  const lock = path.join(home.directory, "shop.json.lock");
  let inside = 0;
  const work = () =>
    exclusively(home.directory, "shop", async () => {
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    });
  await Promise.all([work(), work(), work()]);
  await expect(exclusively(home.directory, "shop", () => Promise.reject(new Error("no")))).rejects.toThrow(
    "no",
  );
  expect(readdirSync(home.directory)).toEqual([]);
  writeFileSync(lock, "");
  utimesSync(lock, new Date(), new Date(Date.now() - 61_000));
  await work();
  expect(readdirSync(home.directory)).toEqual([]);
});

test("contexts are where the desktop's rules say", () => {
  expect(contextDirectory({ XDG_CONFIG_HOME: "/home/sam/.settings" })).toBe("/home/sam/.settings/rolegate");
  const usual = path.join(os.homedir(), ".config/rolegate");
  for (const XDG_CONFIG_HOME of [undefined, "", "settings", "./x"])
    expect(contextDirectory(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME })).toBe(usual);
});
