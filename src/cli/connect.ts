import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Command, Option } from "commander";
import {
  type ConnectionSettings,
  connectionSettings,
  misleading,
  printed,
} from "../client/connection-settings.ts";
import { contextDirectory, exclusively, readContext, writeContext } from "../client/context-files.ts";
import { freshToken } from "../client/fresh-token.ts";
import { portNumber } from "./login.ts";

type Options = {
  readonly role?: string;
  readonly host?: string;
  readonly port?: string;
  readonly database?: string;
  readonly print?: keyof typeof printed;
};

/** Adds `rolegate connect` to the program. */
export function registerConnect(program: Command): void {
  program
    .command("connect")
    .description("start psql with the token of a sign-in, or print the settings for another tool")
    .argument("[name]", "the sign-in", "default")
    .argument("[arguments...]", "for psql, behind --")
    .option("-r, --role <role>", "the role to begin with, instead of the first that fits")
    .option("--host <host>", "another host than at the sign-in")
    .option("--port <port>", "another port")
    .option("--database <name>", "another database")
    .addOption(
      new Option("--print <form>", "print the settings, with the token").choices(Object.keys(printed)),
    )
    .addHelpText("after", "\nExit codes: psql's own; 2 where there is no token, or no psql.")
    .action(async (name: string, psqlArguments: readonly string[], options: Options) => {
      const settings = await settingsOf(name, options);
      if (options.print === undefined) process.exitCode = await runPsql(settings, psqlArguments);
      else process.stdout.write(`${printed[options.print](settings)}\n`);
    });
}

async function settingsOf(
  name: string,
  { role, host, port, database }: Options,
): Promise<ConnectionSettings> {
  const { used, context } = await renewed(contextDirectory(process.env), name);
  const place = {
    ...context.place,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: portNumber(port) }),
    ...(database === undefined ? {} : { database }),
  };
  return connectionSettings(place, role ?? used.name, used.token);
}

/** A token that is good for a while; where it had to be renewed, its file has the new one. */
function renewed(directory: string, name: string): ReturnType<typeof freshToken> {
  const kept = () => {
    const context = readContext(directory, name);
    if (context !== undefined) return context;
    throw new Error(`nobody is signed in under the name ${name}: rolegate login --name ${name}`);
  };
  kept();
  return exclusively(directory, name, async () => {
    const before = kept();
    const fresh = await freshToken(before, Date.now());
    if (fresh.context !== before) writeContext(directory, name, fresh.context);
    return fresh;
  });
}

const ignore = (): void => {};

/** Runs psql in this terminal; the token is in its environment, because everybody can read a command line. */
async function runPsql(settings: ConnectionSettings, psqlArguments: readonly string[]): Promise<number> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of misleading) delete env[name];
  const psql = spawn("psql", psqlArguments, { stdio: "inherit", env: { ...env, ...settings } });
  // Ctrl-C is psql's: it cancels a statement there.
  process.on("SIGINT", ignore);
  try {
    const [code] = (await once(psql, "exit")) as [number | null];
    return code ?? 2;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error("psql is not installed; --print env gives the settings for another tool", {
        cause: error,
      });
    throw error;
  } finally {
    process.off("SIGINT", ignore);
  }
}
