import type { RelationKind } from "../../catalog/catalog.ts";
import { definedRelation, type LocalChange } from "../../catalog/local-objects.ts";
import type { Target } from "./definition-targets.ts";
import type { Effect } from "../verdict.ts";

type Define = Extract<Effect, { kind: "define" }>;

/** A relation was made, or changed: from here on its columns are those that the catalog will show. */
export function defines(
  target: Target,
  kind: RelationKind,
  { untilCommit = false }: { untilCommit?: boolean } = {},
): Define {
  const { schema, name, relation, temporary } = target;
  const defined = definedRelation(schema, name, relation?.kind ?? kind, relation);
  return {
    kind: "define",
    changes: [{ kind: "relation", relation: defined, untilCommit }],
    ofDatabase: !temporary,
  };
}

/** The database has changed, and no name means anything else in the session than before. */
export function changesDatabase(changes: readonly LocalChange[] = []): Define {
  return { kind: "define", changes, ofDatabase: true };
}

/** Of several, in their order. */
export function together(effects: readonly Define[]): Define {
  return {
    kind: "define",
    changes: effects.flatMap(({ changes }) => changes),
    ofDatabase: effects.some(({ ofDatabase }) => ofDatabase),
  };
}
