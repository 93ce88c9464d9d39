#!/usr/bin/env node
// The way in for whatever Node the system has (20 or later). rolegate itself is TypeScript for Node 24, which the
// `node` package brings along: an older Node only starts that one and passes signals and the exit code on.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const oldest = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, "src", "cli", "main.ts");

if (!existsSync(join(root, "node_modules"))) {
  fail(`its packages are not installed: run \`npm ci\` in ${root} first`);
} else if (Number(process.versions.node.split(".")[0]) >= oldest && process.features.typescript) {
  await import(main);
} else {
  const node = bundledNode();
  if (node === undefined) {
    fail(
      `it needs Node ${oldest}; this is ${process.version}, and npm has not installed the one of the \`node\` package (were its install scripts blocked?): run \`npm rebuild node\` in ${root}, or use Node ${oldest}`,
    );
  } else {
    run(node);
  }
}

function bundledNode() {
  try {
    const found = join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node");
    return existsSync(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function run(node) {
  // The channel carries nothing; it closes when this process is killed, and the command then ends as well.
  const stdio = ["inherit", "inherit", "inherit", "ipc"];
  const child = spawn(node, [...process.execArgv, main, ...process.argv.slice(2)], { stdio });
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      // A terminal sends what is typed there to both of us.
      const typed = terminal && (signal === "SIGINT" || signal === "SIGQUIT");
      if (!typed) child.kill(signal);
    });
  }
  child.once("error", (error) => fail(`${node} does not start: ${error.message}`));
  child.once("exit", (code, signal) => {
    if (signal === null) process.exitCode = code;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

function fail(message) {
  process.stderr.write(`rolegate: ${message}\n`);
  process.exitCode = 2;
}
