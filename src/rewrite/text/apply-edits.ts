import type { RawStmt } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { proveCuts } from "../../sql/cut-proof.ts";
import type { ShortText } from "../../sql/short-text.ts";
import { sameTree, splice, spliceWithOffsets, type Edit } from "../../sql/splice.ts";
import type { Judgement } from "../judgement.ts";

/**
 * The edited text, which must mean what the changed tree says; otherwise nothing is sent. What is looked at is its
 * short form; what is sent has again what was left out of it.
 */
export function applyEdits(
  { edits, context }: Judgement,
  short: ShortText,
  statements: readonly RawStmt[],
): string {
  const { whole, cuts } = short;
  if (edits.size === 0) return cuts.length === 0 ? short.text : whole.toString();
  const all = [...edits.values()].flat();
  const { text, offsetOf } = spliceWithOffsets(Buffer.from(short.text), all);
  const again = context.parser.parse(text);
  if (again.kind === "refused") refuse(again.code, again.reason);
  const reads =
    again.kind === "parsed" &&
    again.text === undefined &&
    sameTree(again.statements, statements) &&
    proveCuts(again.statements, cuts, offsetOf) !== undefined;
  if (!reads)
    refuse("internal", "the rewritten statement does not read as intended", {
      detail: "rolegate refuses what it cannot rewrite with certainty.",
    });
  return cuts.length === 0
    ? text
    : splice(
        whole,
        all.map((edit) => inWhole(edit, short)),
      );
}

/** The edit in the offsets of the whole text. None may touch a cut: what was left out belongs to what stands beside it. */
function inWhole({ start, end, text }: Edit, { cuts }: ShortText): Edit {
  let removed = 0;
  for (const { at, from, to } of cuts) {
    if (at > end) break;
    if (at >= start) refuse("internal", "a statement would be changed inside a long list or constant");
    removed += to - from;
  }
  return { start: start + removed, end: end + removed, text };
}
