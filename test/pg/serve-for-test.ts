// A proxy in a process of its own, for tests that kill or measure it. Prints its port.
import { loadConfig } from "../../src/config/load.ts";
import { createLogger } from "../../src/log.ts";
import { startProxy } from "../../src/proxy.ts";

const loaded = loadConfig(process.argv[2]!, process.env);
if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
const proxy = await startProxy(loaded.config, { log: createLogger("warn") });
process.stdout.write(`${proxy.port}\n`);
