import type { Catalog } from "../catalog/catalog.ts";
import { loginUser, type DatabaseConfig } from "../config/config.ts";
import { RolegateError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { compileRole, type Grants, type Role } from "../policy/grants.ts";
import { lintRole } from "../policy/lint.ts";
import { judge } from "../rewrite/judge.ts";
import { loadParser, type Parser } from "../sql/parser.ts";
import { openCatalogSource, type CatalogSource } from "../upstream/catalog-source.ts";
import type { UpstreamLogin } from "../upstream/target.ts";
import { VerdictCache, type VerdictScope } from "./verdict-cache.ts";

/** A database that is served: what it contains, its roles' rules and the verdicts that are known. */
export class Database {
  readonly config: DatabaseConfig;
  readonly roles: ReadonlyMap<string, Role>;
  readonly #catalog: CatalogSource;
  readonly #parser: Parser;
  readonly #verdicts: VerdictCache;

  private constructor(
    config: DatabaseConfig,
    roles: ReadonlyMap<string, Role>,
    catalog: CatalogSource,
    parser: Parser,
    verdicts: VerdictCache,
  ) {
    this.config = config;
    this.roles = roles;
    this.#catalog = catalog;
    this.#parser = parser;
    this.#verdicts = verdicts;
  }

  /**
   * Reads the catalog and compiles the roles with the grammar of the server's version.
   * @throws RolegateError upstream_unavailable; Error for a role file that the server's grammar does not accept
   */
  static async open(config: DatabaseConfig, log: Logger, metrics: Metrics): Promise<Database> {
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
      const roles = compileRoles(config, parser);
      for (const problem of [...roles.values()].flatMap((role) => lintRole(role, catalog.current())))
        log.warn({ database: config.name, ...problem }, "a rule names what the database does not have");
      return new Database(config, roles, catalog, parser, verdicts);
    } catch (error) {
      await catalog.close();
      throw error;
    }
  }

  get major(): number {
    return this.#parser.major;
  }

  get catalogVersion(): number {
    return this.#catalog.current().version;
  }

  /** Reads the catalog anew; if that fails what is known stays. */
  async refresh(): Promise<void> {
    try {
      await this.#catalog.refresh();
    } catch (error) {
      if (!(error instanceof RolegateError)) throw error;
    }
  }

  /** The verdicts for a session's premises. */
  scope(grants: Grants, searchPath: readonly string[], roles: ReadonlySet<string>): VerdictScope {
    const catalog: Catalog = this.#catalog.current();
    return this.#verdicts.scope({ grants, catalog, parser: this.#parser, searchPath, roles });
  }

  async close(): Promise<void> {
    await this.#catalog.close();
  }
}

/** The upstream login of a role. */
export function loginFor({ login }: DatabaseConfig, role: string): UpstreamLogin {
  return { user: loginUser(login, role), password: login.password };
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
