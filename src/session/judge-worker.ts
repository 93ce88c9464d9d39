import { parentPort } from "node:worker_threads";
import type { Catalog } from "../catalog/catalog.ts";
import { catalogFromRows } from "../catalog/load.ts";
import { bindGrants, type Grants } from "../policy/grants.ts";
import { judge } from "../rewrite/judge.ts";
import { loadParser, workerLimits } from "../sql/parser.ts";
import { decodeUtf8 } from "../wire/text.ts";
import type { FromThread, ToThread } from "./judge-job.ts";
import { judgeParts } from "./judged-parts.ts";

// The thread of judge-thread.ts: one text at a time, and whoever waits ends the thread when it takes too long.

const catalogs = new Map<number, Catalog>();
const grants = new Map<number, Grants>();

async function answer(job: Extract<ToThread, { kind: "judge" }>): Promise<void> {
  const { text: bytes, premises } = job;
  const parser = await loadParser(job.major, workerLimits);
  const context = {
    ...premises,
    parser,
    catalog: catalogs.get(job.catalog)!,
    grants: grants.get(job.grants)!,
  };
  const faults: string[] = [];
  const parts = judgeParts(
    decodeUtf8(bytes, 0, bytes.length),
    () => Buffer.from(bytes).toString("utf8"),
    context,
    judge,
    (error) => faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  const message: FromThread = { parts, faults };
  const { query } = parts;
  // A small buffer is part of a pool, which cannot be given away.
  const own = query !== undefined && query.byteLength === query.buffer.byteLength;
  parentPort?.postMessage(message, own ? [query.buffer as ArrayBuffer] : []);
}

parentPort?.on("message", (message: ToThread) => {
  switch (message.kind) {
    case "catalog":
      catalogs.set(message.number, catalogFromRows(message.rows, message.version));
      break;
    case "grants":
      grants.set(message.number, bindGrants(message.role, message.identity));
      break;
    case "forget":
      for (const number of message.numbers) if (!catalogs.delete(number)) grants.delete(number);
      break;
    case "judge":
      void answer(message);
      break;
  }
});
