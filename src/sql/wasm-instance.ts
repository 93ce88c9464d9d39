import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The majors whose grammar is installed, one build of libpg-query each. */
export const parserMajors = [15, 16, 17, 18] as const;
export type ParserMajor = (typeof parserMajors)[number];

/** What one call of the parser gave: the tree as JSON, or the error that the grammar reported. */
type RawResult =
  | { readonly kind: "tree"; readonly json: string }
  | { readonly kind: "reported"; readonly message: string; readonly position: number }
  /** The tree's JSON is longer than asked for. */
  | { readonly kind: "overlong" }
  /** Anything else that can go wrong: stack overflow, trap, abort, heap limit. The instance must not be used again. */
  | { readonly kind: "broken"; readonly cause: unknown };

/** Parses valid UTF-8 without NUL bytes. */
export type WasmInstance = { parse(text: Buffer): RawResult };

type Glue = {
  _malloc(size: number): number;
  _free(pointer: number): void;
  _wasm_parse_query_raw(text: number): number;
  _wasm_free_parse_result(result: number): void;
};
type Imports = Record<string, Record<string, (...args: number[]) => unknown>>;
type Exports = Record<string, unknown>;
type Memory = { readonly buffer: ArrayBuffer };
/** The part of the global that is used here; neither ES2024's library nor Node's types declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (compiled: object, imports: Imports) => { readonly exports: Exports };
  readonly Memory: new () => Memory;
};
type GlueOptions = {
  instantiateWasm(imports: Imports, receive: (instance: { exports: Exports }) => void): Exports;
  preRun: (() => void)[];
};
type Factory = (options: GlueOptions & Partial<Glue>) => Promise<unknown>;

const require = createRequire(import.meta.url);

const scripts: Readonly<Record<ParserMajor, () => string>> = {
  15: () => require.resolve("libpg-query-15/wasm/libpg-query.js"),
  16: () => require.resolve("libpg-query-16/wasm/libpg-query.js"),
  17: () => require.resolve("libpg-query-17/wasm/libpg-query.js"),
  18: () => require.resolve("libpg-query-18/wasm/libpg-query.js"),
};

/** What was compiled; instances with other limits share it. */
const modules = new Map<ParserMajor, object>();

/** Bytes kept in the instance for the text of ordinary statements, so that they cost no malloc. */
const inputBuffer = 64 * 1024;

/**
 * Compiles the build for `major` and returns a maker of instances; compiling takes tens of
 * milliseconds and happens once, an instance some 5 ms and is synchronous, so that a broken one
 * can be replaced in the middle of a pass.
 *
 * The instance may not grow beyond `heapLimit` bytes (it starts with 128 MB of address space), nor
 * hand out a tree of more than `resultLimit` bytes of JSON.
 */
export function compileParser(
  major: ParserMajor,
  limits: { heapLimit: number; resultLimit: number },
): () => WasmInstance {
  const script = scripts[major]();
  const factory = require(script) as Factory;
  let compiled = modules.get(major);
  if (compiled === undefined) {
    compiled = new WebAssembly.Module(readFileSync(script.replace(/\.js$/, ".wasm")));
    modules.set(major, compiled);
  }
  const code = compiled;
  return () => drive(instantiate(factory, code, limits.heapLimit), limits.resultLimit);
}

/**
 * Takes from the package's glue only the imports that the code needs. The glue assigns `_malloc`
 * and its kin synchronously, inside `instantiateWasm`; what it would do afterwards, behind a
 * promise, is a file system and a terminal, which a parser must not have: `preRun` stops it.
 */
function instantiate(factory: Factory, compiled: object, heapLimit: number) {
  let exports: Exports | undefined;
  const glue: GlueOptions & Partial<Glue> = {
    instantiateWasm(imports, receive) {
      fence(imports, heapLimit);
      const instance = new WebAssembly.Instance(compiled, imports);
      receive(instance);
      exports = instance.exports;
      return exports;
    },
    preRun: [
      () => {
        throw new Error("no runtime beyond the parser");
      },
    ],
  };
  factory(glue).catch(() => undefined);
  if (exports === undefined) throw new Error("libpg-query's glue did not instantiate synchronously");
  const exported = Object.values<unknown>(exports);
  const memory = exported.find((value) => value instanceof WebAssembly.Memory);
  // Static constructors: what the glue would call first. Emscripten exports them right behind the memory.
  const construct = exported[1];
  if (!memory || typeof construct !== "function")
    throw new Error("libpg-query's exports are not as expected");
  (construct as () => void)();
  return { glue: glue as Glue, memory };
}

const leave = (name: string) => () => {
  throw new Error(`libpg-query called ${name}`);
};

/** Replaces the imports through which the code could end the process, write to it or outgrow it. */
function fence(imports: Imports, heapLimit: number): void {
  let fenced = 0;
  for (const table of Object.values(imports)) {
    for (const [key, original] of Object.entries(table)) {
      const name = original.name;
      if (/abort|exit|fd_/.test(name) || name.includes("assert")) table[key] = leave(name);
      if (name.includes("resize_heap")) {
        fenced += 1;
        table[key] = (size: number) => {
          if (size >>> 0 > heapLimit) throw new Error("libpg-query outgrew its heap");
          return original(size);
        };
      }
    }
  }
  if (fenced !== 1) throw new Error("libpg-query's imports are not as expected");
}

function drive({ glue, memory }: ReturnType<typeof instantiate>, resultLimit: number): WasmInstance {
  const ownInput = glue._malloc(inputBuffer);
  let heap = Buffer.from(memory.buffer);
  let words = new Uint32Array(memory.buffer);

  /** Growing the memory detaches every view of it. */
  const refresh = () => {
    if (heap.buffer === memory.buffer) return;
    heap = Buffer.from(memory.buffer);
    words = new Uint32Array(memory.buffer);
  };
  const word = (pointer: number) => words[pointer >>> 2] ?? 0;
  const length = (pointer: number) => heap.indexOf(0, pointer) - pointer;

  const read = (result: number): RawResult => {
    // struct PgQueryParseResult { char *parse_tree; char *stderr_buffer; PgQueryError *error; }
    // struct PgQueryError { char *message, *funcname, *filename; int lineno, cursorpos; char *context; }
    const error = word(result + 8);
    if (error) {
      const message = word(error);
      return {
        kind: "reported",
        message: heap.toString("utf8", message, message + length(message)),
        position: word(error + 16),
      };
    }
    const tree = word(result);
    if (!tree) return { kind: "broken", cause: new Error("neither a tree nor an error") };
    const size = length(tree);
    if (size > resultLimit) return { kind: "overlong" };
    return { kind: "tree", json: heap.toString("utf8", tree, tree + size) };
  };

  return {
    parse(text) {
      try {
        const own = text.length < inputBuffer;
        const pointer = own ? ownInput : glue._malloc(text.length + 1);
        refresh();
        heap.set(text, pointer);
        heap[pointer + text.length] = 0;
        const result = glue._wasm_parse_query_raw(pointer);
        refresh();
        const outcome = read(result);
        glue._wasm_free_parse_result(result);
        if (!own) glue._free(pointer);
        return outcome;
      } catch (cause) {
        return { kind: "broken", cause };
      }
    },
  };
}
