import { isMap, isScalar, isSeq, type LineCounter, type ParsedNode } from "yaml";

/** The way from a file's root to a value: keys of mappings and indices of lists. */
export type Path = readonly (string | number)[];

/** A YAML file as plain values, each of which still knows its line. */
export type Document = {
  /** As problems name it. */
  readonly file: string;
  readonly value: unknown;
  readonly root: ParsedNode | null;
  readonly lines: LineCounter;
};

/** The value at a path; undefined where there is none. */
export function valueAt(document: Document, path: Path): unknown {
  let value = document.value;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The line of the key (or list item) at a path, or of the nearest one around it that exists. */
export function lineAt(document: Document, path: Path): number {
  let node: ParsedNode | null = document.root;
  let offset = node?.range[0] ?? 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (pair === undefined) break;
      offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq(node)) {
      const item: ParsedNode | undefined = node.items[Number(step)];
      if (item === undefined) break;
      offset = item.range[0];
      node = item;
    } else break;
  }
  return document.lines.linePos(offset).line || 1;
}

/** The line on which the text of the value at a path begins: for a block text (`|`) the one below its key. */
export function contentLineAt(document: Document, path: Path): number {
  let node: ParsedNode | null = document.root;
  for (const step of path) {
    if (isMap(node))
      node = node.items.find((item) => isScalar(item.key) && item.key.value === step)?.value ?? null;
    else if (isSeq(node)) node = node.items[Number(step)] ?? null;
    else return lineAt(document, path);
  }
  if (!isScalar(node)) return lineAt(document, path);
  const { line } = document.lines.linePos(node.range[0]);
  return node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED" ? line + 1 : line;
}

/** `databases.shop.login`, `access[0].when`. */
export function settingName(path: Path): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === "number") return `${name}[${step}]`;
    return name === "" ? step : `${name}.${step}`;
  }, "");
}

/** True for a mapping's value, which is always a plain object with keys of its own. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
