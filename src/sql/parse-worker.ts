import { parentPort, workerData } from "node:worker_threads";
import { createTextParser, type TextParserLimits } from "./parse-text.ts";
import type { ParserMajor } from "./wasm-instance.ts";

// One text in, one result out; whoever waits ends this thread when it takes too long.
const { major, limits } = workerData as { major: ParserMajor; limits: TextParserLimits };
const parse = createTextParser(major, limits);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.on("message", (text: string) => parentPort?.postMessage(parse(text)));
