import type { LocalChange } from "../catalog/local-objects.ts";
import type { Problem } from "../errors.ts";
import type { Quotable } from "./quotable.ts";

/** What a statement does to the session beyond its rows; the session keeps its own state in step with it. */
export type Effect =
  | { readonly kind: "none" }
  /** `SET ROLE name`, or `RESET ROLE` (role undefined: the role that the session began with). */
  | { readonly kind: "set-role"; readonly role: string | undefined }
  /** `SET search_path`; undefined: back to the session's default. `local`: until the transaction ends. */
  | { readonly kind: "search-path"; readonly path: readonly string[] | undefined; readonly local: boolean }
  /** `RESET ALL`. */
  | { readonly kind: "reset-all" }
  /** `SET row_security`, which rolegate itself follows. */
  | { readonly kind: "row-security"; readonly value: "on" | "off" }
  /** SQL `PREPARE name AS …`: same namespace as the protocol's named statements. */
  | { readonly kind: "prepare"; readonly name: string; readonly statement: JudgedStatement }
  /** SQL `DECLARE name CURSOR FOR …`: same namespace as the protocol's named portals. `held`: WITH HOLD. */
  | {
      readonly kind: "declare";
      readonly name: string;
      readonly statement: JudgedStatement;
      readonly held: boolean;
    }
  /** SQL `EXECUTE name`: runs what was prepared; its kind, relations and discardRows are the prepared statement's. */
  | { readonly kind: "execute"; readonly name: string }
  /** `EXPLAIN EXECUTE name`: shows the plan of what was prepared; its rows are not that statement's. */
  | { readonly kind: "explain-execute"; readonly name: string }
  /** SQL `DEALLOCATE name`; undefined: all. */
  | { readonly kind: "deallocate"; readonly name: string | undefined }
  | { readonly kind: "discard-all" }
  /** `DISCARD TEMP`. */
  | { readonly kind: "discard-temporary" }
  /** A definition: what the session has or sees by itself from here on; `ofDatabase`: a fresh catalog will show it. */
  | { readonly kind: "define"; readonly changes: readonly LocalChange[]; readonly ofDatabase: boolean }
  /** A savepoint is set, given up, or gone back to. */
  | { readonly kind: "savepoint"; readonly does: "set" | "release" | "return"; readonly name: string };

/** One statement of a text, judged. */
export type JudgedStatement = {
  /** The statement's kind as the record names it: `SELECT`, `INSERT`, `COPY TO`, `BEGIN`, … */
  readonly statementKind: string;
  /** Qualified names of the relations that it touches, sorted, each once. */
  readonly relations: readonly string[];
  /** The rules that shaped it, as `file:line key`, e.g. `roles/analyst.yaml:7 customers.select.rows`. */
  readonly rules: readonly string[];
  /** The rows are those of a RETURNING that rolegate added for a check; the client must not see them. */
  readonly discardRows: boolean;
  /**
   * It touches a relation of which the role does not see everything, so the parts of the server's messages that
   * print rows, keys, contexts and other columns' names (DETAIL, CONTEXT, HINT of 42703) must not reach the client.
   */
  readonly hides: boolean;
  /** What of these parts may reach it all the same, and whether a message itself may not. */
  readonly quotable: Quotable;
  /** The HINT to give with an error of the server's, by SQLSTATE: what the rules have to do with it. */
  readonly hints: ReadonlyMap<string, string>;
  /** Its conditions were judged safe for parameters of any type but those of converting-parameters.ts. */
  readonly trustsParameters: boolean;
  /** Parameters whose casts were judged to be no conversions: none of them may be declared to be of a type. */
  readonly castParameters: ReadonlySet<number>;
  /** OIDs of types that no parameter of it may be declared to be of. */
  readonly distrustedTypes: ReadonlySet<number>;
  /** Settings that it may change and that rules could come to depend on, in lower case. */
  readonly sets: readonly string[];
  readonly effect: Effect;
};

export type Verdict =
  | {
      readonly kind: "run";
      /** What is sent upstream; the client's own text where nothing had to change. */
      readonly text: string;
      /** True if `text` is not the client's own. */
      readonly rewritten: boolean;
      /** In the order of the text; empty for an empty query. */
      readonly statements: readonly JudgedStatement[];
      /** It touches relations whose columns are not known yet: a fresher catalog may let more of it use an index. */
      readonly unsettled?: boolean;
    }
  | {
      readonly kind: "refuse";
      readonly problem: Problem;
      /** What could be told of the text, for the record. */
      readonly statementKind: string;
      readonly relations: readonly string[];
      /** A name did not resolve: the catalog may be out of date, so a fresh one is worth one more try. */
      readonly unresolved: boolean;
    };

/** True for the options of a cursor WITH HOLD (CURSOR_OPT_HOLD of nodes/parsenodes.h). */
export function isHeld(options: number | undefined): boolean {
  return ((options ?? 0) & 0x20) !== 0;
}
