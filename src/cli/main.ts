import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { registerAccess } from "./access.ts";
import { registerApply } from "./apply.ts";
import { registerAudit } from "./audit.ts";
import { registerCheck } from "./check.ts";
import { registerConnect } from "./connect.ts";
import { registerDemo } from "./demo.ts";
import { registerExplain } from "./explain.ts";
import { registerLogin } from "./login.ts";
import { registerLogout } from "./logout.ts";
import { registerMigrate } from "./migrate.ts";
import { registerPassword } from "./password.ts";
import { registerRevoke } from "./revoke.ts";
import { registerRequests } from "./requests.ts";
import { registerSchema } from "./schema.ts";
import { registerServe } from "./serve.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("rolegate")
  .description("Postgres access proxy: your role decides what you see, and every statement is on record")
  .version(version)
  .addHelpText("after", "\nExit codes: 0 fine, 1 found problems, 2 could not run.")
  // Before the commands are added: they inherit it.
  .exitOverride();

registerServe(program);
registerDemo(program);
registerCheck(program);
registerExplain(program);
registerAccess(program);
registerApply(program);
registerAudit(program);
registerMigrate(program);
registerRevoke(program);
registerLogin(program);
registerConnect(program);
registerLogout(program);
registerRequests(program);
registerPassword(program);
registerSchema(program);

// The reader of a pipe (`| head`) has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

// bin/rolegate.js holds the other end where it starts us: killed, it cannot pass a signal on.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
process.channel?.unref();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCode(error);
}

/** Usage errors, which commander has printed, exit with 2; what a command says of itself stands. */
function exitCode(error: unknown): number {
  if (error instanceof CommanderError)
    return error.exitCode === 1 && error.code !== "commander.error" ? 2 : error.exitCode;
  process.stderr.write(`rolegate: ${error instanceof Error ? error.message : String(error)}\n`);
  return 2;
}
