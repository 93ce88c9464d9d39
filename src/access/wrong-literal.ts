import { EvaluationError, type ASTNode } from "@marcbachmann/cel-js";
import { oneOf } from "../document/suggest.ts";
import { methods } from "../identity/identity.ts";
import { cidr, clockIn, takesZone, timestamp } from "./condition-environment.ts";
import { attributeOf, callOf, firstBelow, type Call } from "./condition-tree.ts";
import type { Slip } from "./unknown-attribute.ts";

/** The texts that a name of a macro (`["…"].exists(name, …)`) can stand for. */
type Bound = ReadonlyMap<string, readonly ASTNode[]>;

/** What a text as an argument must be: it throws for any other. */
type Demand = { readonly text: ASTNode; readonly read: (text: string) => unknown; readonly expected: string };

const macros: ReadonlySet<string> = new Set(["exists", "exists_one", "all", "filter", "map"]);

/**
 * The first text in a condition that cannot be what it stands for: a network, a time, a duration, a time zone, a regular
 * expression, a method of authentication. Evaluated, it would fail every time, or never be equal.
 */
export function wrongLiteral(tree: ASTNode): Slip | undefined {
  return visit(tree, new Map());
}

function visit(node: ASTNode, bound: Bound): Slip | undefined {
  const call = callOf(node);
  const demand = call && demandOf(call);
  return (
    (demand && unmet(demand, bound)) ??
    wrongMethod(node) ??
    firstBelow(node.args, (below) => visit(below, call === undefined ? bound : within(call, bound)))
  );
}

function demandOf({ name, receiver, given }: Call): Demand | undefined {
  const [text] = given;
  if (text === undefined || given.length > 1) return undefined;
  if (receiver === undefined) {
    if (name === "cidr") return { text, read: cidr, expected: "a network such as 10.0.0.0/8" };
    if (name === "timestamp")
      return { text, read: timestamp, expected: "a time as in RFC 3339, such as 2026-12-31T18:00:00Z" };
    if (name === "duration") return { text, read: duration, expected: "a duration such as 8h or 1h30m" };
    return undefined;
  }
  if (takesZone(name))
    return {
      text,
      read: (zone) => clockIn(new Date(0), zone),
      expected: "a time zone such as Europe/Berlin, or an offset such as +01:00",
    };
  if (name === "matches")
    return { text, read: (pattern) => new RegExp(pattern), expected: "a regular expression" };
  return undefined;
}

/** As Go's ParseDuration, which CEL takes it from. */
function duration(text: string): void {
  if (!/^[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/.test(text))
    throw new EvaluationError("not a duration");
}

function unmet({ text, read, expected }: Demand, bound: Bound): Slip | undefined {
  const literals = text.op === "id" ? (bound.get(text.args) ?? []) : [text];
  for (const literal of literals) {
    if (literal.op !== "value" || typeof literal.args !== "string") continue;
    try {
      read(literal.args);
    } catch {
      return { found: JSON.stringify(literal.args), expected, offset: literal.start };
    }
  }
  return undefined;
}

function within({ name, receiver, given }: Call, bound: Bound): Bound {
  const [variable] = given;
  if (receiver === undefined || !macros.has(name) || variable?.op !== "id") return bound;
  return new Map(bound).set(variable.args, receiver.op === "list" ? receiver.args : []);
}

function wrongMethod(node: ASTNode): Slip | undefined {
  if (node.op !== "==" && node.op !== "!=" && node.op !== "in") return undefined;
  const [left, right] = node.args;
  const other = attributeOf(left) === "method" ? right : attributeOf(right) === "method" ? left : undefined;
  const literals = other?.op === "list" ? other.args : other === undefined ? [] : [other];
  for (const { op, args, start } of literals)
    if (op === "value" && typeof args === "string" && !(methods as readonly string[]).includes(args))
      return { found: JSON.stringify(args), expected: oneOf(args, methods), offset: start };
  return undefined;
}
