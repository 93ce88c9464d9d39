import { isDeepStrictEqual } from "node:util";
import type { Catalog } from "../catalog/catalog.ts";
import { loginUser, type DatabaseConfig } from "../config/config.ts";
import { RolegateError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { compileRole, type Role } from "../policy/grants.ts";
import { lintRole } from "../policy/lint.ts";
import { pinNotes } from "../policy/pinned-settings.ts";
import { judge } from "../rewrite/judge.ts";
import type { JudgeContext } from "../rewrite/judgement.ts";
import { pinOf } from "../rewrite/session/pinned-setting.ts";
import { loadParser, workerLimits, type Parser } from "../sql/parser.ts";
import { openCatalogSource, type CatalogSource } from "../upstream/catalog-source.ts";
import type { UpstreamLogin } from "../upstream/target.ts";
import type { JudgedParts } from "./judged-parts.ts";
import type { JudgingTurn } from "./judging-turn.ts";
import type { SlowJudge } from "./slow-judge.ts";
import { VerdictCache, type VerdictScope } from "./verdict-cache.ts";
import type { Asked } from "./verdict-of.ts";

/** Never the same twice: a role may be removed and come back with other rules. */
let nextEdition = 1;

/** What the verdicts of a session stand on, beside the database itself. */
type ScopePremises = Pick<JudgeContext, "grants" | "searchPath" | "roles" | "askable" | "rowSecurity"> & {
  /** The values with which the session began. */
  readonly settings: ReadonlyMap<string, string>;
};

/** A database that is served: what it contains, its roles' rules and the verdicts that are known. */
export class Database {
  #config: DatabaseConfig;
  #roles: ReadonlyMap<string, Role>;
  readonly #log: Logger;
  readonly #catalog: CatalogSource;
  readonly #parser: Parser;
  readonly #verdicts: VerdictCache;
  readonly #slowJudge: SlowJudge;

  private constructor(
    config: DatabaseConfig,
    roles: ReadonlyMap<string, Role>,
    catalog: CatalogSource,
    parser: Parser,
    verdicts: VerdictCache,
    slowJudge: SlowJudge,
    log: Logger,
  ) {
    this.#config = config;
    this.#roles = roles;
    this.#log = log;
    this.#catalog = catalog;
    this.#parser = parser;
    this.#verdicts = verdicts;
    this.#slowJudge = slowJudge;
  }

  /**
   * Reads the catalog and compiles the roles with the grammar of the server's version.
   * @throws RolegateError upstream_unavailable; Error for a role file that the server's grammar does not accept
   */
  static async open(
    config: DatabaseConfig,
    log: Logger,
    metrics: Metrics,
    slowJudge: SlowJudge,
  ): Promise<Database> {
    const [first] = config.roles.keys();
    if (first === undefined) throw new Error(`database ${config.name} has no roles`);
    const catalog = await openCatalogSource(config.upstream, loginFor(config, first), first, log);
    try {
      const parser = await loadParser(catalog.current().serverMajor);
      const verdicts = new VerdictCache({
        judge,
        counts: metrics.verdictCache,
        failed: (error) =>
          log.error({ err: error, database: config.name }, "a statement could not be judged"),
      });
      const roles = compileRoles(config, await loadParser(parser.major, workerLimits));
      noteRoles(config.name, roles, catalog.current(), log);
      return new Database(config, roles, catalog, parser, verdicts, slowJudge, log);
    } catch (error) {
      await catalog.close();
      throw error;
    }
  }

  get config(): DatabaseConfig {
    return this.#config;
  }

  get roles(): ReadonlyMap<string, Role> {
    return this.#roles;
  }

  /**
   * Compiles the roles of a changed configuration.
   * @returns puts them in force
   * @throws Error for a role file that the server's grammar does not accept
   */
  async prepare(config: DatabaseConfig): Promise<() => void> {
    const roles = compileRoles(config, await loadParser(this.#parser.major, workerLimits), this.#roles);
    return () => {
      noteRoles(config.name, roles, this.#catalog.current(), this.#log);
      this.#config = config;
      this.#roles = roles;
    };
  }

  /** What judging has cost lately. */
  get turn(): JudgingTurn {
    return this.#slowJudge.turn;
  }

  get major(): number {
    return this.#parser.major;
  }

  get catalogVersion(): number {
    return this.#catalog.current().version;
  }

  /** Reads the catalog anew; if that fails what is known stays. @returns false if it failed */
  async refresh(): Promise<boolean> {
    try {
      await this.#catalog.refresh();
      return true;
    } catch (error) {
      if (!(error instanceof RolegateError)) throw error;
      return false;
    }
  }

  /** The verdicts for a session's premises. */
  scope({ grants, settings, ...premises }: ScopePremises): VerdictScope {
    const catalog = this.#catalog.current();
    const pinned = new Map([...settings].filter(([name]) => pinOf({ grants, catalog }, name) !== undefined));
    return this.#verdicts.scope({ grants, catalog, parser: this.#parser, pinned, ...premises });
  }

  /** What the database contains, as far as is known. */
  get catalog(): Catalog {
    return this.#catalog.current();
  }

  /** Has another thread judge what this one must not. */
  judgeElsewhere({ source, scope, abandoned }: Asked): Promise<JudgedParts> {
    return this.#slowJudge.judge(Buffer.from(source, "latin1"), scope.context, abandoned.signal);
  }

  async close(): Promise<void> {
    await this.#catalog.close();
  }
}

/** The upstream login of a role. */
export function loginFor({ login }: DatabaseConfig, role: string): UpstreamLogin {
  return { user: loginUser(login, role), password: login.password(role) };
}

/** @param before those in force: one that has not changed stays what it is */
function compileRoles(
  config: DatabaseConfig,
  parser: Parser,
  before: ReadonlyMap<string, Role> = new Map(),
): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  for (const [name, file] of config.roles) {
    const known = before.get(name);
    if (known !== undefined && isDeepStrictEqual(known.file, file)) {
      roles.set(name, known);
      continue;
    }
    const compiled = compileRole(file, parser, nextEdition++);
    if (compiled.kind === "refused") {
      const told = compiled.problems.map((problem) => JSON.stringify(problem)).join("; ");
      throw new Error(`role ${name} is refused: ${told}`);
    }
    roles.set(name, compiled.role);
  }
  return roles;
}

/** Tells the operator what of the rules is worth a look. */
function noteRoles(database: string, roles: ReadonlyMap<string, Role>, catalog: Catalog, log: Logger): void {
  for (const role of roles.values()) {
    for (const problem of lintRole(role, catalog))
      log.warn({ database, ...problem }, "a rule names what the database does not have");
    for (const note of pinNotes(role, catalog))
      log.info({ database, ...note }, "a rule depends on settings, so clients cannot change them");
    if (role.file.unrestricted !== undefined)
      log.warn({ database, role: role.file.role, file: role.file.file }, "a role is unrestricted");
  }
}
