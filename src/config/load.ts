import path from "node:path";
import * as z from "zod";
import { mapping } from "../document/mapping.ts";
import { parseDocument } from "../document/parse.ts";
import { type ConfigProblem, sortProblems } from "../document/problem.ts";
import { checkIdentities } from "./check-identities.ts";
import { checkLogins } from "./check-logins.ts";
import { checkRoles } from "./check-roles.ts";
import type { Config } from "./config.ts";
import { readAccess } from "./read-access.ts";
import { readAuthentication } from "./read-authentication.ts";
import { type BareDatabase, ownDatabase, readDatabases } from "./read-databases.ts";
import { readIdentities } from "./read-identities.ts";
import { readListen } from "./read-listen.ts";
import { type PlacedRole, readRoles } from "./read-roles.ts";
import { readStore } from "./read-store.ts";
import type { Secret } from "./secret.ts";
import { type Reading, read, sinkAt } from "./reading.ts";
import { configSchemas } from "./schema.ts";
import { readText, type Sources } from "./sources.ts";

export type LoadedConfig =
  | { readonly kind: "loaded"; readonly config: Config }
  /** In the order of files and lines; never empty. */
  | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] };

/**
 * Reads `rolegate.yaml` and everything that it names, and reports every problem at once.
 * @param file the path of the configuration file; paths in it are relative to its directory.
 * @param env where `{ env: NAME }` is looked up.
 * @param options.commandsLater commands run when their value is needed.
 */
export function loadConfig(
  file: string,
  env: NodeJS.ProcessEnv,
  { commandsLater = false }: Pick<Sources, "commandsLater"> = {},
): LoadedConfig {
  const absolute = path.resolve(file);
  const sources: Sources = { directory: path.dirname(absolute), env, commandsLater };
  const opened = open(file, sources);
  if (opened.kind === "refused") return opened;
  const { reading } = opened;

  read(reading, [], topLevel);
  const listen = readListen(reading);
  const { names, databases } = readDatabases(reading);
  const identities = readIdentities(reading);
  const access = readAccess(reading, path.basename(absolute), identities);
  const roles = readRoles(reading);
  const admin = read(reading, ["admin"], reading.schemas.admin);
  const audit = read(reading, ["audit"], reading.schemas.audit);
  const store = readStore(reading);
  const limits = read(reading, ["limits"], reading.schemas.limits);
  const log = read(reading, ["log"], reading.schemas.log);

  checkRoles(reading, names, access, roles);
  checkLogins(reading, databases, roles);
  const complete = withRoles(reading, databases, roles);
  const roleNames = new Set(access.flatMap((entry) => entry.role ?? []));
  const rules = readAuthentication(reading, path.basename(absolute), {
    identities,
    databases: new Set([...names, ownDatabase]),
    certificates: listen && listen.tls?.clientCa !== undefined,
  });
  const checked = checkIdentities(reading, identities, listen, { roleNames, rules });

  if (reading.problems.length > 0) return { kind: "refused", problems: sortProblems(reading.problems) };
  if (listen === undefined || audit === undefined || limits === undefined || log === undefined) {
    throw new Error("a setting was refused without a problem");
  }
  const config: Config = {
    file: absolute,
    rolesDirectory: path.resolve(sources.directory, read(reading, ["roles"], reading.schemas.roles) ?? ""),
    listen,
    admin,
    databases: complete,
    identities: checked,
    access: access.flatMap(({ entry }) => entry ?? []),
    audit: { directory: path.resolve(sources.directory, audit.directory) },
    store,
    limits,
    log,
  };
  return { kind: "loaded", config };
}

/** Reads `listen` alone once more: its certificates are renewed while the proxy runs. */
export function loadListen(
  file: string,
  env: NodeJS.ProcessEnv,
):
  | { readonly kind: "loaded"; readonly listen: Config["listen"] }
  | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] } {
  const opened = open(file, { directory: path.dirname(path.resolve(file)), env });
  if (opened.kind === "refused") return opened;
  const { reading } = opened;
  const listen = readListen(reading);
  if (listen === undefined || reading.problems.length > 0)
    return { kind: "refused", problems: sortProblems(reading.problems) };
  return { kind: "loaded", listen };
}

/** The keys at the top of the file; what is below each is read on its own. */
const topLevel = mapping({
  listen: z.unknown().optional(),
  admin: z.unknown().optional(),
  databases: z.unknown().optional(),
  identities: z.unknown().optional(),
  authentication: z.unknown().optional(),
  access: z.unknown().optional(),
  audit: z.unknown().optional(),
  store: z.unknown().optional(),
  roles: z.unknown().optional(),
  limits: z.unknown().optional(),
  log: z.unknown().optional(),
});

function open(
  file: string,
  sources: Sources,
): { kind: "open"; reading: Reading } | { kind: "refused"; problems: ConfigProblem[] } {
  const unreadable: ConfigProblem[] = [];
  const text = readText(path.resolve(file), sources, {
    addIssue: ({ params }) => {
      unreadable.push({
        file,
        line: 1,
        setting: "",
        message: params.problem,
        found: params.found ?? "an error",
        expected: "a readable configuration file",
      });
    },
  });
  if (text === undefined) return { kind: "refused", problems: unreadable };
  const { document, problems } = parseDocument(file, text);
  if (document === undefined) return { kind: "refused", problems };
  return { kind: "open", reading: { document, sources, schemas: configSchemas(sources), problems } };
}

function withRoles(
  reading: Reading,
  databases: readonly BareDatabase[],
  placed: readonly PlacedRole[],
): Config["databases"] {
  return new Map(
    databases.map(({ login: { userTemplate, password }, ...database }) => {
      const files = placed.flatMap(({ roleFile }) => (roleFile?.database === database.name ? roleFile : []));
      const sink = sinkAt(reading, ["databases", database.name, "login", "password"]);
      const roles = new Map(files.map((roleFile) => [roleFile.role, roleFile]));
      const secrets = new Map([...roles.keys()].map((role) => [role, password(role, sink)]));
      const passwordOf = (role: string): Secret => {
        const secret = secrets.get(role);
        if (secret === undefined) throw new TypeError(`no password for ${role}`);
        return secret;
      };
      return [database.name, { ...database, login: { userTemplate, password: passwordOf }, roles }];
    }),
  );
}
