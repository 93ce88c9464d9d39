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

/** What the verdicts of a session stand on, beside the database itself. */
type ScopePremises = Pick<JudgeContext, "grants" | "searchPath" | "roles" | "askable" | "rowSecurity"> & {
  /** The values with which the session began. */
  readonly settings: ReadonlyMap<string, string>;
};

/** A database that is served: what it contains, its roles' rules and the verdicts that are known. */
export class Database {
  readonly config: DatabaseConfig;
  readonly roles: ReadonlyMap<string, Role>;
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
  ) {
    this.config = config;
    this.roles = roles;
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
      for (const problem of [...roles.values()].flatMap((role) => lintRole(role, catalog.current())))
        log.warn({ database: config.name, ...problem }, "a rule names what the database does not have");
      for (const note of [...roles.values()].flatMap((role) => pinNotes(role, catalog.current())))
        log.info(
          { database: config.name, ...note },
          "a rule depends on settings, so clients cannot change them",
        );
      for (const { file } of roles.values())
        if (file.unrestricted !== undefined)
          log.warn({ database: config.name, role: file.role, file: file.file }, "a role is unrestricted");
      return new Database(config, roles, catalog, parser, verdicts, slowJudge);
    } catch (error) {
      await catalog.close();
      throw error;
    }
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

function compileRoles(config: DatabaseConfig, parser: Parser): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  for (const [name, file] of config.roles) {
    const compiled = compileRole(file, parser);
    if (compiled.kind === "refused") {
      const told = compiled.problems.map((problem) => JSON.stringify(problem)).join("; ");
      throw new Error(`role ${name} is refused: ${told}`);
    }
    roles.set(name, compiled.role);
  }
  return roles;
}
