import type { Node } from "@pgsql/types";
import { refuse } from "../errors.ts";
import type { Catalog, Relation } from "../catalog/catalog.ts";
import { nothingLocal, type LocalObjects } from "../catalog/local-objects.ts";
import type { Grants } from "../policy/grants.ts";
import type { Parser } from "../sql/parser.ts";
import type { ShortText } from "../sql/short-text.ts";
import type { Edit } from "../sql/splice.ts";
import { nothingQuotable, type Quotable } from "./quotable.ts";
import { readSource, type Source } from "./text/source.ts";
import type { Effect } from "./verdict.ts";

/** What a text is judged against. */
export type JudgeContext = {
  readonly grants: Grants;
  readonly catalog: Catalog;
  readonly parser: Parser;
  /** The session's schemas in order, `"$user"` already replaced by the role. */
  readonly searchPath: readonly string[];
  /** The roles that the identity may take here, for SET ROLE. */
  readonly roles: ReadonlySet<string>;
  /** Others that it may ask for, with what to tell of how; none where it is left out. */
  readonly askable?: ReadonlyMap<string, string>;
  /** The values of the settings that the role's rules depend on, by name in lower case; none known where it is left out. */
  readonly pinned?: ReadonlyMap<string, string>;
  /** The client asked for errors in place of filtered rows (SET row_security = off). */
  readonly rowSecurity?: "off";
  /** The client says of what types the parameters are: none is sure to have the one that the text gives it. */
  readonly typedParameters?: true;
  /** What the session itself has made or changed, beside the catalog; undefined: nothing. */
  readonly local?: LocalObjects;
};

/** Edits by their start, those of one place in the order in which they came. */
type Edits = Map<number, readonly Edit[]>;

/**
 * One text under judgement. The tree is changed in place while edits collect; in the end the edited text must
 * parse to the changed tree, so neither can say something that the other does not.
 */
export type Judgement = {
  readonly context: JudgeContext;
  readonly source: Source;
  readonly edits: Edits;
  /** How much text they have put in. */
  added: number;
  /** What the statement at hand touches and which rules shaped it, for the record. */
  relations: Set<string>;
  rules: Set<string>;
  /** The statement touches a relation of which the role does not see everything. */
  hides: boolean;
  /** What of the server's messages may pass all the same. */
  quotable: Quotable;
  /** What to tell a client beside an error of the server's, by SQLSTATE. */
  hints: Map<string, string>;
  /** Whether a condition on a parameter may count as safe (converting-parameters.ts), and whether one did. */
  parameters: "plain" | "trusted" | "distrusted";
  /** Parameters whose casts count as constants because no other place of the text gives them a type. */
  castParameters: Set<number>;
  /** What the statement at hand is about: relations, and types made by somebody (`TypeFacts.text`). */
  about: { readonly relations: Set<Relation>; readonly types: Set<string> };
  /** The types that PREPARE declares for the statement's parameters. */
  declaredTypes: readonly Node[];
  /** OIDs of types that a parameter of the statement must not be declared to be of: what runs then was not judged. */
  distrustedTypes: Set<number>;
  /** A name did not resolve: a fresher catalog may know it. */
  unresolved: boolean;
  /** Settings that the statement may change and that rules could come to depend on, in lower case. */
  sets: Set<string>;
  /** What a call of set_config says of search_path. */
  path: Extract<Effect, { kind: "search-path" }> | undefined;
  /** What the session has made or changed up to the statement at hand. */
  local: LocalObjects;
  /** A relation is touched whose columns a fresher catalog will know. */
  unsettled: boolean;
};

/** The judgement of a text, which has its statements before it. */
export function beginJudgement(context: JudgeContext, short: ShortText): Judgement {
  return {
    context,
    source: readSource(short),
    edits: new Map(),
    added: 0,
    unresolved: false,
    unsettled: false,
    local: context.local ?? nothingLocal,
    ...nothingFound(),
  };
}

/** The next statement of the text. */
export function beginStatement(judgement: Judgement): void {
  Object.assign(judgement, nothingFound());
  if (judgement.context.typedParameters === true) judgement.parameters = "distrusted";
}

/** What is found of one statement. */
function nothingFound() {
  return {
    relations: new Set<string>(),
    rules: new Set<string>(),
    hides: false,
    quotable: nothingQuotable,
    hints: new Map<string, string>(),
    parameters: "plain" as const,
    about: { relations: new Set<Relation>(), types: new Set<string>() },
    castParameters: new Set<number>(),
    declaredTypes: [],
    distrustedTypes: new Set<number>(),
    sets: new Set<string>(),
    path: undefined,
  };
}

/** Records an edit, in byte offsets of the client's text. Insertions at one offset stand in the order in which they come. */
export function edit(judgement: Judgement, start: number, end: number, text: string): void {
  add(judgement, { start, end, text }, false);
}

/** Records an insertion that stands in front of all others at its offset: what goes around an expression that begins there. */
export function editAround(judgement: Judgement, start: number, text: string): void {
  add(judgement, { start, end: start, text }, true);
}

function add(judgement: Judgement, made: Edit, first: boolean): void {
  const { start, end, text } = made;
  // A short text can come to many megabytes: `RETURNING *, *, *`, of a relation with a thousand columns.
  judgement.added += text.length;
  const { bytes } = judgement.context.parser.limits;
  if (judgement.added > bytes)
    refuse(
      "statement_too_complex",
      `statement would have more than ${bytes} bytes with the role's rules in it`,
    );
  const known = judgement.edits.get(start) ?? [];
  // The grammar hangs one sub-select on every column of SET (a, b) = (…), so the same edit can come twice.
  if (known.some((other) => other.end === end && other.text === text)) return;
  judgement.edits.set(start, first ? [made, ...known] : [...known, made]);
}

/** Refuses a construct that rolegate cannot judge yet: never let through, always named. */
export function unsupported(what: string, hint = "Write the statement without it."): never {
  refuse("statement_not_supported", `${what} is not supported here`, {
    detail: "rolegate cannot judge this construct under the role's rules, so it does not run.",
    hint,
  });
}
