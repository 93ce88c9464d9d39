import { Worker } from "node:worker_threads";
import type { Catalog } from "../catalog/catalog.ts";
import { catalogRows } from "../catalog/load.ts";
import type { Grants } from "../policy/grants.ts";
import type { JudgeContext } from "../rewrite/judgement.ts";
import type { FromThread, ToThread } from "./judge-job.ts";

/** Catalogs, and grants, that a thread keeps; the one that was sent first goes first. */
const mostKept = 32;

/** Of the JavaScript heap. A tree has some 200 bytes a token, and there are two of them in the end. */
const heapMegabytes = 1024;

export type ThreadEvents = {
  readonly answered: (answer: FromThread) => void;
  /** The thread has ended by itself: out of memory, or a fault. */
  readonly broken: (error: unknown) => void;
};

/** A thread that judges one text at a time, with a parser, catalogs and grants of its own. */
export class JudgeThread {
  readonly #worker: Worker;
  readonly #numbers = new Map<Catalog | string, number>();
  #last = 0;

  constructor({ answered, broken }: ThreadEvents) {
    this.#worker = new Worker(new URL("judge-worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, stackSizeMb: 8 },
      stdout: true,
      stderr: true,
    });
    this.#worker.unref();
    this.#worker.on("message", answered);
    this.#worker.on("error", broken);
    this.#worker.on("exit", () => broken(new Error("the thread has ended")));
  }

  /** Judges a text, whose buffer goes to the thread. */
  judge(text: Uint8Array<ArrayBuffer>, { grants, catalog, parser, ...premises }: JudgeContext): void {
    const job = {
      kind: "judge",
      text,
      catalog: this.#catalogNumber(catalog),
      grants: this.#grantsNumber(grants),
      major: parser.major,
      premises,
    } as const;
    this.#send(job, [text.buffer]);
  }

  #catalogNumber(catalog: Catalog): number {
    return this.#numberOf(catalog, (number) => {
      const { rows, version } = catalogRows(catalog);
      this.#send({ kind: "catalog", number, rows, version });
    });
  }

  #grantsNumber({ key, origin }: Grants): number {
    return this.#numberOf(key, (number) => this.#send({ kind: "grants", number, ...origin }));
  }

  #numberOf(known: Catalog | string, send: (number: number) => void): number {
    const before = this.#numbers.get(known);
    if (before !== undefined) return before;
    const number = ++this.#last;
    this.#numbers.set(known, number);
    send(number);
    const same = [...this.#numbers.keys()].filter((other) => typeof other === typeof known);
    const gone = same.slice(0, Math.max(0, same.length - mostKept));
    if (gone.length > 0) {
      this.#send({ kind: "forget", numbers: gone.map((other) => this.#numbers.get(other)!) });
      for (const other of gone) this.#numbers.delete(other);
    }
    return number;
  }

  #send(message: ToThread, transfer: ArrayBuffer[] = []): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(message, transfer);
  }

  /** Ends the thread, whatever it is at. No event comes any more. */
  end(): void {
    this.#worker.removeAllListeners();
    // What it still has to say, such as that it ran out of memory while ending, is nobody's business.
    this.#worker.on("error", () => {});
    void this.#worker.terminate();
  }
}
