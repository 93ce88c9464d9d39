import {
  type Environment,
  EvaluationError,
  ParseError,
  TypeError as CelTypeError,
} from "@marcbachmann/cel-js";
import type { Identity } from "../identity/identity.ts";
import { conditionEnvironment, conditionScope } from "./condition-scope.ts";
import { unknownAttribute } from "./unknown-attribute.ts";

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
  | { readonly kind: "does not fit" }
  /** The condition threw, or gave something else than true or false: it does not fit, and the operator should hear of it. */
  | { readonly kind: "failed"; readonly reason: string };

/** A compiled CEL condition. */
export type Condition = {
  readonly text: string;
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
  const program = compileProgram(text, attributes, conditionEnvironment, "identity, connection and now");
  if (program.kind === "refused") return program;
  const evaluate: Condition["evaluate"] = (identity, connection, now) =>
    program.run(() => conditionScope(identity, connection, now));
  return { kind: "condition", condition: { text, evaluate } };
}

export type Program =
  | {
      readonly kind: "program";
      /** `scope` makes the variables; what it throws counts as the condition's own failure. */
      readonly run: (scope: () => Record<string, unknown>) => Outcome;
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
    const { valid, type, error } = program.check();
    if (!valid) throw error ?? new Error("not valid");
    if (type !== "bool" && type !== "dyn") {
      return {
        kind: "refused",
        found: `an expression of type ${type}`,
        expected: "a CEL expression that is true or false",
        line: 0,
      };
    }
    const unknown = unknownAttribute(program.ast, attributes);
    if (unknown !== undefined) return { kind: "refused", ...unknown, line: lineOf(text, unknown.offset) };
    return { kind: "program", run: (scope) => run(program, scope) };
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
    return {
      kind: "failed",
      reason: error instanceof EvaluationError ? oneLine(error.summary) : "it cannot be evaluated",
    };
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\s]+/gu, " ").slice(0, 200);
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length - 1;
}
