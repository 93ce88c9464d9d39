import type { JoinExpr } from "@pgsql/types";
import { noCtes, type CteNames } from "./cte-names.ts";
import type { Level, Place } from "./findings.ts";

/** What a name in FROM may mean besides a relation, and which select a FROM item belongs to. */
export type Scope = {
  readonly ctes: CteNames;
  readonly level: Level | undefined;
  /** The select around. */
  readonly place: Place | undefined;
  /** How the rows of a select that stands here get to the select around. */
  readonly reach: Place["reach"];
  /** The outer join of which this is the side that may be missing. */
  readonly missingIn: JoinExpr | undefined;
  /** The statement itself stands here, not a part of it. */
  readonly top?: boolean;
};

export const outermost: Scope = {
  ctes: noCtes,
  level: undefined,
  place: undefined,
  reach: "apart",
  missingIn: undefined,
};

/** Deeper in an item or an expression, where no item of the FROM list itself stands. */
export function below(scope: Scope, reach: Place["reach"] = "apart"): Scope {
  const { ctes, level, place, missingIn, top } = scope;
  // Most nodes are deep already.
  if (level === undefined && missingIn === undefined && top !== true && scope.reach === reach) return scope;
  return { ...outermost, ctes, place, reach };
}

/** The scopes of a join's two sides. Behind an alias of its own the join's tables cannot be named from outside. */
export function sidesOf(join: JoinExpr, scope: Scope): readonly [left: Scope, right: Scope] {
  const named = join.alias === undefined;
  const kept = { ...scope, level: named ? scope.level : undefined, missingIn: undefined };
  const missing = { ...kept, level: undefined, missingIn: named ? join : undefined };
  switch (join.jointype) {
    case "JOIN_INNER":
      return [kept, kept];
    case "JOIN_LEFT":
      return [kept, missing];
    case "JOIN_RIGHT":
      return [missing, kept];
    default: {
      // Of a full join neither side is sure to be there, and its ON takes no CASE.
      const neither = { ...missing, missingIn: undefined };
      return [neither, neither];
    }
  }
}
