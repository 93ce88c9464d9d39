import type { Node } from "@pgsql/types";
import { lastName } from "../text/dotted-name.ts";
import type { Sample } from "../findings.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import {
  closingIndex,
  endBefore,
  indexAfterName,
  indexOf,
  isCut,
  keywordAt,
  startOf,
  wholeBetween,
} from "../text/source.ts";

/** The server's own methods; those of extensions stop at a number of rows, hidden ones among them. */
const methods: ReadonlySet<string> = new Set(["bernoulli", "system"]);

/**
 * Takes the TABLESAMPLE clause out of the client's text: it goes inside the virtual table, where the real relation is.
 * @returns the clause as the client wrote it. Its arguments are constants, so that they mean the same there.
 */
export function takeSample(judgement: Judgement, { RangeTableSample: sample }: Sample): string {
  const { method, args, repeatable, location = 0 } = sample;
  if (!methods.has(lastName(method) ?? ""))
    unsupported("this method of TABLESAMPLE under a rule", "Use BERNOULLI or SYSTEM.");
  if (![...(args ?? []), ...(repeatable === undefined ? [] : [repeatable])].every(isConstant))
    unsupported("TABLESAMPLE with an argument that is no constant, under a rule");
  const { source } = judgement;
  const first = indexOf(source, location) - 1;
  let behind = closingIndex(source, indexAfterName(source, location)) + 1;
  if (repeatable !== undefined && keywordAt(source, behind, "repeatable"))
    behind = closingIndex(source, behind + 1) + 1;
  const start = startOf(source, first);
  const end = endBefore(source, behind);
  if (isCut(source, start, end)) unsupported("TABLESAMPLE with long arguments");
  edit(judgement, endBefore(source, first), end, "");
  return wholeBetween(source, start, end);
}

function isConstant(node: Node): boolean {
  if ("TypeCast" in node) return node.TypeCast.arg !== undefined && isConstant(node.TypeCast.arg);
  return "A_Const" in node || "ParamRef" in node;
}
