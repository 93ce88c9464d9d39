import { Worker } from "node:worker_threads";
import type { ParsedText, TextParserLimits } from "./parse-text.ts";
import { knownMajor, readTree, type ParseResult } from "./parser.ts";
import type { ParserMajor } from "./wasm-instance.ts";

/**
 * For a thread of its own. Reading 32 MB of JSON still costs the caller's thread some 200 ms; the
 * depth is the main thread's, because the tree is walked there.
 */
const workerLimits: TextParserLimits = {
  bytes: 2 * 1024 * 1024,
  tokens: 400_000,
  depth: 1000,
  rescanned: 8 * 1024 * 1024,
  heap: 512 * 1024 * 1024,
  result: 32 * 1024 * 1024,
};

type Job = { readonly text: string; readonly settle: (result: ParsedText) => void };

const overloaded: ParseResult = {
  kind: "refused",
  reason: "too many long statements are waiting to be parsed",
  code: "statement_too_complex",
};

/**
 * Parses what the main thread must not: long texts, one after the other, in a worker that is ended
 * when one takes longer than the deadline. The worker starts with the first text, and does not keep the process alive.
 */
export class SlowParser {
  readonly #major: ParserMajor;
  readonly #deadline: number;
  readonly #waiting: Job[] = [];
  #running: Job | undefined;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @throws RolegateError `statement_not_supported` for a major whose grammar is not installed */
  constructor(major: number, { deadline = 5000 }: { deadline?: number } = {}) {
    this.#major = knownMajor(major);
    this.#deadline = deadline;
  }

  /** Resolves within the deadline and that of the texts before it (at most 16), and never rejects. */
  async parse(text: string): Promise<ParseResult> {
    if (this.#waiting.length >= 16) return overloaded;
    const result = await new Promise<ParsedText>((settle) => {
      this.#waiting.push({ text, settle });
      this.#next();
    });
    return readTree(result);
  }

  /** Ends the worker; texts under way are answered as too complex. */
  async close(): Promise<void> {
    const jobs = this.#waiting.splice(0);
    await this.#end("the parser is closed");
    for (const job of jobs) job.settle(refused("the parser is closed"));
  }

  #next(): void {
    if (this.#running) return;
    const job = this.#waiting.shift();
    if (!job) return;
    this.#running = job;
    this.#timer = setTimeout(() => {
      void this.#end("statement takes too long to be parsed");
    }, this.#deadline);
    this.#worker ??= this.#start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(job.text);
  }

  #start(): Worker {
    const worker = new Worker(new URL("parse-worker.ts", import.meta.url), {
      workerData: { major: this.#major, limits: workerLimits },
      resourceLimits: { maxOldGenerationSizeMb: 256 },
      stdout: true,
      stderr: true,
    });
    worker.unref();
    worker.on("message", (result: ParsedText) => this.#settle(worker, result));
    const broken = () => {
      if (worker === this.#worker) void this.#end("statement is too complex to be parsed");
    };
    worker.on("error", broken);
    worker.on("exit", broken);
    return worker;
  }

  async #end(reason: string): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#settle(worker, refused(reason));
    await worker?.terminate();
  }

  #settle(from: Worker | undefined, result: ParsedText): void {
    // A worker that was given up may still answer.
    if (this.#worker !== undefined && from !== this.#worker) return;
    clearTimeout(this.#timer);
    const job = this.#running;
    this.#running = undefined;
    job?.settle(result);
    this.#next();
  }
}

const refused = (reason: string): ParsedText => ({ kind: "refused", reason, code: "statement_too_complex" });
