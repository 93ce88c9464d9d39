import path from "node:path";
import { type Command, Option } from "commander";
import { type Context, type Place, type SignIn, sslmodes, tokenKinds } from "../client/context.ts";
import { contextDirectory, exclusively, readContext, writeContext } from "../client/context-files.ts";
import { usedToken } from "../client/fresh-token.ts";
import { signInByDevice } from "../client/provider.ts";

type Options = {
  readonly name: string;
  readonly issuer?: string;
  readonly clientId?: string;
  readonly clientSecretFile?: string;
  readonly scope?: string;
  readonly parameter?: readonly string[];
  readonly token?: SignIn["token"];
  readonly nameClaim?: string;
  readonly host?: string;
  readonly port?: string;
  readonly database?: string;
  readonly sslmode?: Place["sslmode"];
  readonly sslrootcert?: string;
};

/** Adds `rolegate login` to the program. */
export function registerLogin(program: Command): void {
  program
    .command("login")
    .description(
      "sign in at an OpenID Connect provider, by a code that you enter in a browser, and keep the tokens",
    )
    .option("-n, --name <name>", "what to call it; `rolegate connect <name>` uses it", "default")
    .option("--issuer <url>", "the provider, as the jwt entry of rolegate.yaml names it")
    .option("--client-id <id>", "the client that the provider knows rolegate's users by")
    .option("--client-secret-file <file>", "the client's secret, where the provider gives one to programs")
    .option("--scope <scopes>", "what to ask the provider for (default: openid email)")
    .option("--parameter <name=value...>", "what else to tell the provider, such as resource or audience")
    .addOption(
      new Option("--token <kind>", "which token rolegate is shown (default: access)").choices(tokenKinds),
    )
    .option(
      "--name-claim <claim>",
      "the token's claim with your name (default: email, preferred_username or sub)",
    )
    .option("--host <host>", "where rolegate listens (default: localhost)")
    .option("--port <port>", "its port (default: 6432)")
    .option("--database <name>", "the database (default: the name of the sign-in)")
    .addOption(
      new Option("--sslmode <mode>", "how the server is verified (default: verify-full)").choices(sslmodes),
    )
    .option(
      "--sslrootcert <file>",
      "the authority that its certificate is of; system: those that the system trusts",
    )
    .addHelpText(
      "after",
      "\nWhat is left out stays as it was at the last sign-in of that name.\nExit codes: 0 signed in, 2 not.",
    )
    .action(async (options: Options) => {
      const directory = contextDirectory(process.env);
      const settings = settingsFrom(options, readContext(directory, options.name));
      const tokens = await signInByDevice(settings.signIn, ({ url, code, complete }) => {
        const whole = complete === undefined ? "" : `, or open ${complete}`;
        process.stderr.write(`Open ${url} and enter ${code}${whole}\nWaiting for you to finish there …\n`);
      });
      const { name, expiresAt } = usedToken(settings.signIn, tokens);
      await exclusively(directory, options.name, async () =>
        writeContext(directory, options.name, { ...settings, tokens }),
      );
      const until =
        tokens.refresh === undefined ? `until ${new Date(expiresAt).toISOString()}` : "renewed as needed";
      process.stdout.write(`signed in as ${name}, ${until}\n`);
    });
}

/** What was said now, else what was said the last time, else what is usual. */
function settingsFrom(options: Options, before: Context | undefined): Omit<Context, "tokens"> {
  const issuer = options.issuer ?? before?.signIn.issuer;
  const clientId = options.clientId ?? before?.signIn.clientId;
  if (issuer === undefined || clientId === undefined)
    throw new Error("expected --issuer and --client-id: nobody has signed in under this name yet");
  const secretFile = absolute(options.clientSecretFile) ?? before?.signIn.clientSecretFile;
  const nameClaim = options.nameClaim ?? before?.signIn.nameClaim;
  // libpq 16 and later take this word for the authorities that the system trusts.
  const given = options.sslrootcert === "system" ? "system" : absolute(options.sslrootcert);
  const rootCertificate = given ?? before?.place.sslrootcert;
  return {
    signIn: {
      issuer,
      clientId,
      ...(secretFile === undefined ? {} : { clientSecretFile: secretFile }),
      scope: options.scope ?? before?.signIn.scope ?? "openid email",
      parameters:
        options.parameter === undefined ? (before?.signIn.parameters ?? {}) : pairs(options.parameter),
      token: options.token ?? before?.signIn.token ?? "access",
      ...(nameClaim === undefined ? {} : { nameClaim }),
    },
    place: {
      host: options.host ?? before?.place.host ?? "localhost",
      port: options.port === undefined ? (before?.place.port ?? 6432) : portNumber(options.port),
      database: options.database ?? before?.place.database ?? options.name,
      sslmode: options.sslmode ?? before?.place.sslmode ?? "verify-full",
      ...(rootCertificate === undefined ? {} : { sslrootcert: rootCertificate }),
    },
  };
}

function absolute(file: string | undefined): string | undefined {
  return file === undefined ? undefined : path.resolve(file);
}

function pairs(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1 || at === pair.length - 1) throw new Error("--parameter: expected name=value");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** @throws Error for what is no port */
export function portNumber(given: string): number {
  const port = /^[0-9]{1,5}$/.test(given) ? Number(given) : 0;
  if (port < 1 || port > 65_535) throw new Error(`--port: found ${given}, expected 1 to 65535`);
  return port;
}
