import { refuse } from "../errors.ts";
import { clauseNodes } from "./clause-nodes.ts";
import { expressionNodes } from "./expression-nodes.ts";
import { statementNodes } from "./statement-nodes.ts";

const allNodes = { ...statementNodes, ...expressionNodes, ...clauseNodes };

export type NodeKind = keyof typeof allNodes;

/** A node as libpg-query's JSON has it: one key, the kind, with the fields under it. */
type Node = Readonly<Record<string, unknown>>;

/** The fields of a node; zero, false, empty strings and what is absent are left out of the JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** A node taken out of its wrapping, or a field that always holds one kind and so has none. */
export type Opened = { readonly kind: NodeKind; readonly fields: Fields };

/** A child with the name of its parent's field that holds it. */
export type Child = Opened & { readonly field: string };

/** Where a visited node stands: its parent, and the parent's field. */
export type Parent = Opened & { readonly field: string };

export type FieldShape =
  | { readonly kind: "scalar" }
  /** A byte offset or length in the text: no part of what the statement means. */
  | { readonly kind: "place" }
  /** `of` undefined: a node of any kind, wrapped. `scalarToo`: in some majors a scalar. */
  | { readonly kind: "child"; readonly of: NodeKind | undefined; readonly scalarToo: boolean }
  /** Wrapped nodes; the empty object stands for none. */
  | { readonly kind: "list" };

/** The fields that each kind of node has in the raw trees of PostgreSQL 15 to 18. */
export const nodeFields: ReadonlyMap<string, ReadonlyMap<string, FieldShape>> = new Map(
  Object.entries(allNodes).map(([kind, fields]) => [kind, new Map(fields.split(" ").map(readField))]),
);

/**
 * Takes a wrapped node apart; undefined for the empty object that stands for none in lists.
 * @throws RolegateError `statement_not_supported` for what is no known kind of node
 */
export function open(node: unknown): Opened | undefined {
  const kind = kindOf(node);
  return kind === undefined ? undefined : opened(kind, (node as Node)[kind]);
}

function kindOf(node: unknown): NodeKind | undefined {
  if (typeof node !== "object" || node === null) return unknown("a value where a node is expected");
  let found: string | undefined;
  for (const kind in node) {
    if (found !== undefined) return unknown(`the syntax node ${found}`);
    found = kind;
  }
  return found === undefined || isNodeKind(found) ? found : unknown(`the syntax node ${found}`);
}

/**
 * The nodes right below a wrapped node, in the order of their fields, each in the wrapping that it has in the tree, so
 * that another can be put in its place. A field that always holds one kind has no wrapping in the tree; its node comes in a new one.
 * @throws RolegateError `statement_not_supported` like `children`
 */
export function childrenInTree(node: unknown): unknown[] {
  const kind = kindOf(node);
  if (kind === undefined) return [];
  const shapes = nodeFields.get(kind)!;
  const { fields } = opened(kind, (node as Node)[kind]);
  const found: unknown[] = [];
  for (const field in fields) {
    const shape = shapes.get(field) ?? unknown(`${kind}.${field}`);
    const value = fields[field];
    if (shape.kind === "list") {
      if (!Array.isArray(value)) return unknown(`${kind}.${field} that is no list`);
      for (const item of value as unknown[]) if (open(item) !== undefined) found.push(item);
    } else if (shape.kind === "child" && !(shape.scalarToo && typeof value !== "object")) {
      if (shape.of === undefined) {
        if (open(value) !== undefined) found.push(value);
      } else found.push({ [shape.of]: opened(shape.of, value).fields });
    } else if (typeof value === "object") {
      return unknown(`${kind}.${field} that is no scalar`);
    }
  }
  return found;
}

/**
 * The child nodes in the order of their fields.
 * @throws RolegateError `statement_not_supported` for a field that the node is not known to have: a newer grammar's clause must never be passed over
 */
export function children({ kind, fields }: Opened): Child[] {
  const shapes = nodeFields.get(kind) ?? unknown(`the syntax node ${kind}`);
  const found: Child[] = [];
  const add = (field: string, child: Opened | undefined) => {
    if (child) found.push({ field, kind: child.kind, fields: child.fields });
  };
  for (const field in fields) {
    const shape = shapes.get(field);
    const value = fields[field];
    if (!shape) return unknown(`${kind}.${field}`);
    if (shape.kind === "child" && !(shape.scalarToo && typeof value !== "object")) {
      add(field, shape.of === undefined ? open(value) : opened(shape.of, value));
    } else if (shape.kind === "list") {
      if (!Array.isArray(value)) return unknown(`${kind}.${field} that is no list`);
      for (const item of value as unknown[]) add(field, open(item));
    } else if (typeof value === "object") {
      return unknown(`${kind}.${field} that is no scalar`);
    }
  }
  return found;
}

/**
 * Visits `node` (a wrapped node, or a list of them), then what is below it, parents first. Where `visit` returns
 * false, the walk does not go below the node, and its fields are not checked.
 * @throws RolegateError `statement_not_supported` for an unknown kind or field
 */
export function walk(
  node: unknown,
  visit: (kind: NodeKind, fields: Fields, parent: Parent | undefined) => boolean | void,
): void {
  const down = (at: Opened, parent: Parent | undefined): void => {
    if (visit(at.kind, at.fields, parent) === false) return;
    for (const child of children(at)) {
      down(child, { kind: at.kind, fields: at.fields, field: child.field });
    }
  };
  for (const item of Array.isArray(node) ? (node as unknown[]) : [node]) {
    const root = open(item);
    if (root) down(root, undefined);
  }
}

function isNodeKind(kind: string): kind is NodeKind {
  return nodeFields.has(kind);
}

function opened(kind: NodeKind, fields: unknown): Opened {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields))
    return unknown(`${kind} without fields`);
  return { kind, fields: fields as Fields };
}

function unknown(what: string): never {
  return refuse("statement_not_supported", `rolegate does not know ${what}`, {
    hint: "the statement uses syntax that rolegate cannot judge yet",
  });
}

/** Reads `name`, `@name`, `name:Node`, `name:Node?`, `name:Node[]` and `name:Kind`. */
function readField(text: string): [string, FieldShape] {
  if (text.startsWith("@")) return [text.slice(1), { kind: "place" }];
  const [name = "", type] = text.split(":");
  if (type === undefined) return [name, { kind: "scalar" }];
  if (type === "Node[]") return [name, { kind: "list" }];
  if (type === "Node" || type === "Node?") {
    return [name, { kind: "child", of: undefined, scalarToo: type.endsWith("?") }];
  }
  if (!(type in allNodes)) throw new Error(`no node kind ${type}`);
  return [name, { kind: "child", of: type as NodeKind, scalarToo: false }];
}
