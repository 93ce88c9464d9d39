import type { Node } from "@pgsql/types";
import { children, open, type Child, type Fields, type Opened } from "../../sql/walk.ts";
import { anonymousRow } from "../../catalog/made-objects.ts";
import {
  arisingTypes,
  none,
  reach,
  typesGiven,
  typesNamed,
  typesOfNotation,
  type Arising,
  type MadeTypes,
} from "./value-origins.ts";
import { judgeCasts, judgeStoredSomewhere } from "./chosen-casts.ts";
import { judgeComparisons } from "./chosen-comparisons.ts";
import { judgeMakings } from "./chosen-makings.ts";
import { deniedCalls, type DeniedCalls } from "./denied-calls.ts";
import { lastName, namesBehind, nameParts } from "../text/dotted-name.ts";
import type { Survey } from "../findings.ts";
import type { Judgement } from "../judgement.ts";
import { judgeOperators } from "./operators.ts";

/** What a look at one statement goes by. */
export type Choice = {
  readonly judgement: Judgement;
  readonly denied: DeniedCalls;
  readonly arising: Arising;
  readonly survey: Survey;
  /** The types that a node's value can have. */
  readonly typesOf: (node: Opened) => MadeTypes;
};

/** A part of a node, with the types, made by somebody, that its value can have. */
export type Part = { readonly child: Child; readonly types: MadeTypes };

/**
 * Operators, casts and operator classes that somebody made are chosen by the types of values, and so are the functions
 * behind them. They are a danger where the role may not call such a function and a value in the statement could have
 * a type for which it is chosen.
 * @throws RolegateError operator_not_allowed, function_not_allowed
 */
export function judgeChosenCalls(judgement: Judgement, survey: Survey, statement: Node): void {
  const denied = deniedCalls(judgement.context.catalog, judgement.context.grants);
  const root = denied.any ? open(statement) : undefined;
  if (root === undefined) return;
  choiceOf(judgement, survey, statement, denied).typesOf(root);
}

/**
 * Judges a value that is given to something of a type that the text does not tell: an argument of EXECUTE.
 * @throws RolegateError function_not_allowed
 */
export function judgeGivenValue(judgement: Judgement, survey: Survey, value: Node): void {
  const denied = deniedCalls(judgement.context.catalog, judgement.context.grants);
  const root = denied.casts.length > 0 ? open(value) : undefined;
  if (root === undefined) return;
  const choice = choiceOf(judgement, survey, value, denied);
  judgeStoredSomewhere(choice, root, choice.typesOf(root));
}

function choiceOf(judgement: Judgement, survey: Survey, statement: Node, denied: DeniedCalls): Choice {
  const withArising = (arising: Arising): Choice => {
    const choice: Choice = {
      judgement,
      denied,
      survey,
      arising,
      typesOf: (node) => typesOf(choice, node),
    };
    return choice;
  };
  return withArising(
    arisingTypes(judgement, survey, statement, (arising, node) => withArising(arising).typesOf(node)),
  );
}

/** The types that a node's value can have; what stands below it has been judged by then. */
function typesOf(choice: Choice, node: Opened): MadeTypes {
  const parts = children(node).map((child) => ({ child, types: typesOf(choice, child) }));
  const inner = union(parts.map(({ types }) => types));
  judgeOperators(choice, node, inner);
  judgeComparisons(choice, node, parts);
  judgeMakings(choice, node, parts);
  judgeCasts(choice, node, parts, inner);
  return given(choice, node, inner);
}

function union(sets: readonly MadeTypes[]): MadeTypes {
  const filled = sets.filter((set) => set.size > 0);
  if (filled.length <= 1) return filled[0] ?? none;
  return new Set(filled.flatMap((set) => [...set]));
}

/** What is true or false, whatever it is given. */
const comparing: ReadonlySet<string> = new Set([
  "AEXPR_BETWEEN",
  "AEXPR_BETWEEN_SYM",
  "AEXPR_DISTINCT",
  "AEXPR_ILIKE",
  "AEXPR_IN",
  "AEXPR_LIKE",
  "AEXPR_NOT_BETWEEN",
  "AEXPR_NOT_BETWEEN_SYM",
  "AEXPR_NOT_DISTINCT",
  "AEXPR_OP_ALL",
  "AEXPR_OP_ANY",
  "AEXPR_SIMILAR",
]);

function given({ judgement, arising }: Choice, { kind, fields }: Opened, inner: MadeTypes): MadeTypes {
  const { catalog } = judgement.context;
  switch (kind) {
    case "ColumnRef":
      return arising.named(lastName(fields["fields"] as Node[]));
    case "ParamRef":
      return union(
        judgement.declaredTypes.map((declared) =>
          "TypeName" in declared ? new Set(typesNamed(catalog, nameParts(declared.TypeName.names))) : none,
        ),
      );
    case "TypeName":
      return new Set(typesNamed(catalog, nameParts(fields["names"] as Node[])));
    case "TypeCast": {
      const { names } = (fields as { typeName: { names: Node[] } }).typeName;
      return new Set(typesNamed(catalog, nameParts(names)));
    }
    case "FuncCall":
      return givenByCall(judgement, fields, inner);
    case "A_Indirection":
      return union([inner, new Set(namesBehind(fields).flatMap((name) => typesOfNotation(catalog, name)))]);
    case "RowExpr":
      return union([inner, new Set([anonymousRow])]);
    case "BoolExpr":
    case "NullTest":
    case "BooleanTest":
    case "A_Const":
      return none;
    case "A_Expr":
      return comparing.has(fields["kind"] as string) ? none : givenByOperator(judgement, fields, inner);
    case "SubLink":
      return ["EXISTS_SUBLINK", "ANY_SUBLINK", "ALL_SUBLINK"].includes(fields["subLinkType"] as string)
        ? none
        : inner;
    default:
      return inner;
  }
}

/** The server's own functions give somebody's types only where they give what they are given. */
function givenByCall({ context: { catalog } }: Judgement, call: Fields, inner: MadeTypes): MadeTypes {
  const candidates = catalog.functions.get(lastName(call["funcname"] as Node[]) ?? "") ?? [];
  const passes = candidates.some(({ own, result }) => !own || /^(?:any|record$)/.test(result));
  const row = candidates.some(({ result }) => result === "record") ? [anonymousRow] : [];
  return union([passes ? inner : none, new Set([...row, ...typesGiven(catalog, call)])]);
}

function givenByOperator(
  { context: { catalog } }: Judgement,
  expression: Fields,
  inner: MadeTypes,
): MadeTypes {
  const made = catalog.operators.get(lastName(expression["name"] as Node[]) ?? "") ?? [];
  const gives = made.flatMap(({ function: { schema, name } }) =>
    (catalog.functions.get(name) ?? [])
      .filter((found) => found.schema === schema)
      .flatMap((found) => found.gives),
  );
  return union([inner, ...gives.map((type) => reach(catalog, type))]);
}
