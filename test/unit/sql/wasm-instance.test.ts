import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { compileParser, parserMajors } from "../../../src/sql/wasm-instance.ts";

declare const WebAssembly: {
  readonly Module: {
    new (bytes: Uint8Array): object;
    exports(compiled: object): { readonly name: string }[];
  };
};

const require = createRequire(import.meta.url);
const limits = { heapLimit: 128 * 1024 * 1024, resultLimit: 1000 };

describe.each(parserMajors)("the WASM instance for %i", (major) => {
  it("is begun as the package's own glue begins it", () => {
    // The glue names the static constructors' export in initRuntime; we take the one behind the memory.
    const script = require.resolve(`libpg-query-${major}/wasm/libpg-query.js`);
    const glue = readFileSync(script, "utf8");
    const constructors = /TTY\.init\(\);wasmExports\["(\w+)"\]\(\)/.exec(glue)?.[1];
    const compiled = new WebAssembly.Module(readFileSync(script.replace(/\.js$/, ".wasm")));
    expect(WebAssembly.Module.exports(compiled)[1]?.name).toBe(constructors);
    expect(constructors).toBeDefined();
  });

  it("gives trees up to the limit of their JSON, and texts of any length back", () => {
    const instance = compileParser(major, limits)();
    expect(instance.parse(Buffer.from("select 1"))).toMatchObject({ kind: "tree" });
    expect(instance.parse(Buffer.from(`select ${"1,".repeat(50)}1`))).toEqual({ kind: "overlong" });
    const long = `select '${"x".repeat(100_000)}' fro m`;
    expect(instance.parse(Buffer.from(long))).toMatchObject({ kind: "reported", position: long.length });
    expect(instance.parse(Buffer.from("select 1"))).toMatchObject({ kind: "tree" });
  });
});
