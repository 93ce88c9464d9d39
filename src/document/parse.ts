import { LineCounter, type ParsedNode, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Document } from "./document.ts";
import type { ConfigProblem } from "./problem.ts";

type Report = (offset: number, message: string, found: string, expected: string) => void;

/**
 * Parses YAML 1.2 (core schema) so strictly that one text has one meaning: no duplicate keys, no aliases,
 * no tags, no keys that are not text, no second document, no number that would lose digits.
 * @param file the name that problems give.
 * @returns a document whenever there is anything to go on with, even beside problems.
 */
export function parseDocument(
  file: string,
  text: string,
): { document: Document | undefined; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const lines = new LineCounter();
  const report: Report = (offset, message, found, expected) => {
    problems.push({ file, line: lines.linePos(offset).line || 1, setting: "", found, expected, message });
  };
  // Duplicate keys are found below: there the line is that of the key, and not of what stands before it.
  // prettyErrors would quote the source line in the message, and that line may hold a secret.
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
    uniqueKeys: false,
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  for (const { errors, warnings } of documents) {
    for (const problem of [...errors, ...warnings]) {
      const [message, found, expected] = yamlErrors[problem.code] ?? anyYamlError;
      report(problem.pos[0], message, found, expected);
    }
  }
  const [first, second] = documents;
  if (second !== undefined) {
    report(
      second.range[0],
      "more than one YAML document",
      "a second one behind `---`",
      "one document in the file",
    );
  }
  if (first === undefined || (first.contents === null && problems.length === 0)) {
    report(0, "the file is empty", "nothing", "a mapping");
    return { document: undefined, problems };
  }
  // `%YAML 1.1` would make `no` and `off` truth values.
  if (first.directives?.yaml.explicit === true) {
    report(0, "bad YAML", "a %YAML directive", "YAML 1.2 without directives");
  }
  if (first.errors.length > 0) return { document: undefined, problems };
  const value = plain(first.contents, report, 0);
  if (!isMap(first.contents)) {
    report(first.contents?.range[0] ?? 0, "wrong type", "something else", "a mapping at the top of the file");
    return { document: undefined, problems };
  }
  return { document: { file, value, root: first.contents, lines }, problems };
}

/** Far above any real file, and far below where the recursion here or in a schema would overflow the stack. */
const maxDepth = 50;

function plain(node: ParsedNode | null, report: Report, depth: number): unknown {
  if (node === null) return null;
  const [offset] = node.range;
  if (depth > maxDepth) {
    report(offset, "too deeply nested", `more than ${maxDepth} levels`, "a flatter file");
    return null;
  }
  if (isAlias(node)) {
    report(offset, "aliases are not supported", "an alias (`*name`)", "the value itself");
    return null;
  }
  if (node.tag !== undefined) {
    report(offset, "bad YAML", "a tag (`!name`)", "plain values");
    return null;
  }
  if (isMap(node)) return plainMapping(node.items, report, depth);
  if (isSeq(node)) return node.items.map((item) => plain(item, report, depth + 1));
  if (!isScalar(node)) return null;
  const { value } = node;
  if (
    typeof value === "number" &&
    (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
  ) {
    report(
      offset,
      "the number would lose digits",
      "a number beyond 2^53",
      "a smaller number, or text in quotes",
    );
    // Any number will do: the document is refused, and nothing is to be said of this value twice.
    return 0;
  }
  return value;
}

function plainMapping(
  items: readonly { key: ParsedNode; value: ParsedNode | null }[],
  report: Report,
  depth: number,
) {
  const mapping: Record<string, unknown> = {};
  for (const { key, value } of items) {
    // `1:` and `"1":` would be two keys to YAML and one to us; `__proto__` would set no key at all.
    if (!isScalar(key) || typeof key.value !== "string" || key.value === "__proto__") {
      report(
        key.range[0],
        "not a usable key",
        "a key that is not plain text",
        "text, in quotes where YAML would read something else",
      );
      continue;
    }
    if (Object.hasOwn(mapping, key.value)) {
      report(key.range[0], "duplicate key", "the same key a second time", "every key once in its mapping");
    }
    mapping[key.value] = plain(value, report, depth + 1);
  }
  return mapping;
}

const anyYamlError = ["bad YAML", "text that YAML does not allow here", "YAML 1.2"] as const;

/** Our own words for what the parser reports: its messages may quote the file, and with it a secret. */
const yamlErrors: Readonly<Record<string, readonly [message: string, found: string, expected: string]>> = {
  BAD_INDENT: ["bad YAML", "wrong indentation", "keys of one mapping in the same column"],
  TAB_AS_INDENT: ["bad YAML", "a tab", "spaces for indentation"],
  MISSING_CHAR: ["bad YAML", "an unfinished text, list or mapping", "its closing quote, comma or bracket"],
  BAD_DQ_ESCAPE: ["bad YAML", "an unknown escape in double quotes", "a YAML escape, or single quotes"],
  BAD_SCALAR_START: ["bad YAML", "a character that cannot begin a text", "quotes around the text"],
  MULTILINE_IMPLICIT_KEY: ["bad YAML", "a key over several lines", "`key: value` on one line"],
  BLOCK_AS_IMPLICIT_KEY: ["bad YAML", "a second `: ` on the line", "quotes around a text that holds `: `"],
  UNEXPECTED_TOKEN: [
    "bad YAML",
    "text behind the end of a value",
    "one value, in quotes where it holds special characters",
  ],
  TAG_RESOLVE_FAILED: ["bad YAML", "a tag (`!name`)", "plain values"],
  BAD_ALIAS: ["bad YAML", "an alias (`*name`), or an unquoted `*`", "the value itself, or quotes around it"],
};
