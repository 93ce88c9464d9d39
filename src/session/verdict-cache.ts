import type { JudgeContext } from "../rewrite/judgement.ts";
import { judgeText, type Judged } from "./judged.ts";
import type { Judge } from "./judged-parts.ts";

export type CacheOptions = {
  readonly judge: Judge;
  /** Hears of faults in the judgement; must not log the text. */
  readonly failed: (error: unknown) => void;
  readonly counts: { hits: number; misses: number; entries: number };
  /** Kept at most twice over: the younger and the older generation have this much each. */
  readonly entries?: number;
  readonly bytes?: number;
};

/** A longer text would push out many that are used more often. */
const longestKept = 65_536;

/** In bytes, twice over: the verdicts of one session that has temporary relations or open definitions. */
const mostOwnBytes = 512 * 1024;

/**
 * The verdicts of one database by exact text, shared by all sessions whose judgement has the same premises: role,
 * rules and attributes (the grants' key), the roles in reach, search_path, catalog and the settings that rules stand on. Two generations: what is used
 * while it is in the older one moves to the younger; when that is full, the older one goes.
 */
export class VerdictCache {
  readonly #options: CacheOptions;
  readonly #scopes = new Map<string, VerdictScope>();
  #youngEntries = 0;
  #youngBytes = 0;
  #oldEntries = 0;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** The verdicts under the premises. */
  scope(context: JudgeContext): VerdictScope {
    // Nobody else has what a session made, and the next definition makes it another.
    if (context.local !== undefined) return new VerdictScope(this, undefined, context);
    const key = JSON.stringify([
      context.grants.key,
      [...context.roles].toSorted(),
      [...(context.askable?.keys() ?? [])].toSorted(),
      context.searchPath,
      context.catalog.version,
      [...(context.pinned ?? [])],
      context.rowSecurity ?? "on",
      context.typedParameters === true,
    ]);
    let scope = this.#scopes.get(key);
    if (scope === undefined) this.#scopes.set(key, (scope = new VerdictScope(this, key, context)));
    return scope;
  }

  /** Judges a text that the scope does not know, and keeps the verdict, unless another thread can do better. */
  judge(scope: VerdictScope, source: string): Judged {
    const { judge, failed, counts } = this.#options;
    counts.misses++;
    const judged = judgeText(source, scope.context, judge, failed);
    if (judged.problem?.code !== "statement_too_complex") this.keep(scope, judged);
    return judged;
  }

  hit(): void {
    this.#options.counts.hits++;
  }

  /** Puts a verdict into the younger generation. */
  keep(scope: VerdictScope, judged: Judged): void {
    const { entries = 20_000, bytes = 64 * 1024 * 1024, counts } = this.#options;
    if (judged.source.length > longestKept) return;
    if (scope.key === undefined) return scope.keepOwn(judged);
    if (this.#youngEntries >= entries || this.#youngBytes + judged.size > bytes) this.#age();
    // A scope that nobody used for a generation was let go; it is in use again.
    this.#scopes.set(scope.key, scope);
    scope.young.set(judged.source, judged);
    this.#youngEntries++;
    this.#youngBytes += judged.size;
    counts.entries = this.#youngEntries + this.#oldEntries;
  }

  #age(): void {
    for (const [key, scope] of this.#scopes) {
      scope.old = scope.young;
      scope.young = new Map();
      if (scope.old.size === 0) this.#scopes.delete(key);
    }
    this.#oldEntries = this.#youngEntries;
    this.#youngEntries = 0;
    this.#youngBytes = 0;
  }
}

/** The verdicts under one set of premises. */
export class VerdictScope {
  /** Undefined: a session's own. */
  readonly key: string | undefined;
  readonly context: JudgeContext;
  young = new Map<string, Judged>();
  old = new Map<string, Judged>();
  readonly #cache: VerdictCache;
  #typed: VerdictScope | undefined;
  #ownBytes = 0;

  constructor(cache: VerdictCache, key: string | undefined, context: JudgeContext) {
    this.#cache = cache;
    this.key = key;
    this.context = context;
  }

  /** The verdict of a text in byte form, if it is known. */
  known(source: string): Judged | undefined {
    const young = this.young.get(source);
    if (young !== undefined) {
      this.#cache.hit();
      return young;
    }
    const old = this.old.get(source);
    if (old === undefined) return undefined;
    this.#cache.hit();
    this.old.delete(source);
    this.#cache.keep(this, old);
    return old;
  }

  /** True if the verdict was given under these premises. */
  hasJudged({ context }: Judged): boolean {
    return context === this.context || (context.typedParameters === true && context === this.typed().context);
  }

  /** The same premises for texts whose parameters the client declares to be of types of its own choice. */
  typed(): VerdictScope {
    this.#typed ??= this.#cache.scope({ ...this.context, typedParameters: true });
    return this.#typed;
  }

  /** Keeps a verdict of a session's own, which goes with the session and pushes out nobody else's. */
  keepOwn(judged: Judged): void {
    if (this.#ownBytes > mostOwnBytes) {
      this.old = this.young;
      this.young = new Map();
      this.#ownBytes = 0;
    }
    this.young.set(judged.source, judged);
    this.#ownBytes += judged.size;
  }

  /** The verdict of a text that is not known. */
  judge(source: string): Judged {
    return this.#cache.judge(this, source);
  }

  /** Keeps a verdict that was made elsewhere. */
  keep(judged: Judged): Judged {
    this.#cache.keep(this, judged);
    return judged;
  }
}
