import { array, assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { startupMessage, startupOptions, startupParameters } from "../../../src/upstream/startup-message.ts";
import { parseOptions } from "../../../src/wire/options.ts";
import { readStartupPacket } from "../../../src/wire/startup.ts";

const value = string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));

test("options are read back as they were given, whatever is in them", () => {
  assert(
    property(array(value), (values) => {
      const settings = values.map((text, index) => [`rolegate.setting_${index}`, text] as const);
      const read = parseOptions(startupOptions(settings));
      expect(read).toEqual({ kind: "settings", settings });
    }),
  );
});

test("the packet is read back as it was given", () => {
  assert(
    property(value, value, (applicationName, setting) => {
      const parameters = startupParameters("login", "shop", {
        role: "analyst",
        settings: new Map([["rolegate.identity", setting]]),
        applicationName,
      });
      const read = readStartupPacket(startupMessage(parameters));
      expect(read.kind === "startup" && Object.fromEntries(read.parameters)).toEqual(parameters);
    }),
  );
});

test("a session's own settings come after ours, and the role after all of them", () => {
  const { options } = startupParameters("login", "shop", {
    role: "analyst",
    settings: new Map([
      ["standard_conforming_strings", "off"],
      ["role", "postgres"],
      ["client_encoding", "SQL_ASCII"],
    ]),
    applicationName: "",
  });
  const read = parseOptions(options!);
  const last = new Map(read.kind === "settings" ? read.settings : []);
  expect(Object.fromEntries(last)).toEqual({
    client_encoding: "SQL_ASCII",
    standard_conforming_strings: "on",
    role: "analyst",
  });
});

test.each(["", "a b", "a=b", "-c", "ä", "a\0", "a..b", ".a", "1a"])(
  "%j is not the name of a setting",
  (name) => {
    expect(() => startupOptions([[name, "x"]])).toThrow("not the name of a setting");
  },
);
