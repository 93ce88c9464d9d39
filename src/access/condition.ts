import {
  type Environment,
  EvaluationError,
  ParseError,
  TypeError as CelTypeError,
} from "@marcbachmann/cel-js";
import type { Identity } from "../identity/identity.ts";
import { conditionEnvironment } from "./condition-environment.ts";
import { conditionScope } from "./condition-scope.ts";
import { attributeOf, isNode, isTimed, takeOwnFunctions } from "./condition-tree.ts";
import { unknownAttribute } from "./unknown-attribute.ts";
import { wrongLiteral } from "./wrong-literal.ts";

/** The connection as conditions see it. */
export type AccessConnection = {
  /** The client's IP address, without port. */
  readonly address: string;
  readonly tls: boolean;
  /** The database as rolegate.yaml names it. */
  readonly database: string;
  readonly applicationName: string;
};

export type Outcome =
  | { readonly kind: "fits" }
  /** `lacks`: it asks for an attribute that the identity does not have, and so cannot fit, whatever it says of it. */
  | { readonly kind: "does not fit"; readonly lacks?: string }
  /** The condition threw, or gave something else than true or false: it does not fit, and the operator should hear of it. */
  | { readonly kind: "failed"; readonly reason: string };

/** A compiled CEL condition. */
export type Condition = {
  readonly text: string;
  /** Time alone can change what it comes to. */
  readonly timed: boolean;
  /** @param now milliseconds since the epoch. */
  readonly evaluate: (identity: Identity, connection: AccessConnection, now: number) => Outcome;
};

export type Compiled =
  | { readonly kind: "condition"; readonly condition: Condition }
  /** In the words of a configuration problem; `line` counts from 0 within the text. */
  | { readonly kind: "refused"; readonly found: string; readonly expected: string; readonly line: number };

/**
 * Compiles a condition of `access`: CEL over `identity`, `connection` and `now`, which must give true or false.
 * @param attributes those that some identity of the configuration can have: a condition on any other could never hold.
 */
export function compileCondition(text: string, attributes: ReadonlySet<string>): Compiled {
  const environment = conditionEnvironment(attributes);
  const program = compileProgram(text, attributes, environment, "identity, connection and now");
  if (program.kind === "refused") return program;
  const evaluate: Condition["evaluate"] = (identity, connection, now) =>
    program.run(identity, () => conditionScope(identity, connection, now));
  return { kind: "condition", condition: { text, timed: program.timed, evaluate } };
}

export type Program =
  | {
      readonly kind: "program";
      readonly timed: boolean;
      /** `scope` makes the variables; what it throws counts as the condition's own failure. */
      readonly run: (identity: Identity, scope: () => Record<string, unknown>) => Outcome;
    }
  | Extract<Compiled, { kind: "refused" }>;

/** @param variables those of the environment, in words. */
export function compileProgram(
  text: string,
  attributes: ReadonlySet<string>,
  environment: Environment,
  variables: string,
): Program {
  try {
    const program = environment.parse(text);
    const slip = unknownAttribute(program.ast, attributes) ?? wrongLiteral(program.ast);
    if (slip !== undefined)
      return { kind: "refused", found: slip.found, expected: slip.expected, line: lineOf(text, slip.offset) };
    takeOwnFunctions(program.ast);
    const { valid, type, error } = program.check();
    if (!valid) throw error ?? new Error("not valid");
    if (type !== "bool" && type !== "dyn") {
      return {
        kind: "refused",
        // A type of ours for a variable is called $identity.
        found: `an expression of type ${type?.replace("$", "")}`,
        expected: "a CEL expression that is true or false",
        line: 0,
      };
    }
    return {
      kind: "program",
      timed: isTimed(program.ast),
      run: (identity, scope) => run(program, identity, scope),
    };
  } catch (error) {
    const known =
      error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError;
    return {
      kind: "refused",
      found: known ? oneLine(error.summary) : "an expression that cannot be compiled",
      expected: `a CEL expression over ${variables}`,
      line: known ? lineOf(text, error.range?.start ?? 0) : 0,
    };
  }
}

function run(
  program: (scope: Record<string, unknown>) => unknown,
  identity: Identity,
  scope: () => Record<string, unknown>,
): Outcome {
  try {
    const result = program(scope());
    // Exactly true: `1`, `"false"` or a promise grant nothing.
    if (result === true) return { kind: "fits" };
    return result === false
      ? { kind: "does not fit" }
      : { kind: "failed", reason: "the result is neither true nor false" };
  } catch (error) {
    if (!(error instanceof EvaluationError)) return { kind: "failed", reason: "it cannot be evaluated" };
    const lacks = missingAttribute(error, identity);
    return lacks === undefined
      ? { kind: "failed", reason: oneLine(error.summary) }
      : { kind: "does not fit", lacks };
  }
}

/** Nothing went wrong then: a service has no groups. But what is not known grants nothing, not even under `!`. */
function missingAttribute({ code, node }: EvaluationError, { attributes }: Identity): string | undefined {
  const name = code === "no_such_key" && isNode(node) ? attributeOf(node) : undefined;
  return name === undefined || Object.hasOwn(attributes, name) ? undefined : name;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\s]+/gu, " ").slice(0, 200);
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length - 1;
}
