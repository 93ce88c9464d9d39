import type { Node } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import type { Opened } from "../../sql/walk.ts";
import type { Choice, Part } from "./chosen-calls.ts";
import { lastName } from "../text/dotted-name.ts";

/** Fill the columns of a row that they are given. */
const filling = /^jsonb?_populate_record(?:set)?(?:_valid)?$/;

/**
 * Polymorphic functions make what they are given beside a value of a domain a value of it too: `lag(k, 1, '5')`,
 * `array_append(ks, '5')`. Where the statement names the type, judgeType has looked at it.
 * @throws RolegateError function_not_allowed
 */
export function judgeMakings({ judgement, denied }: Choice, node: Opened, parts: readonly Part[]): void {
  if (node.kind !== "FuncCall" || denied.makes.size === 0) return;
  const { catalog, grants } = judgement.context;
  const name = lastName(node.fields["funcname"] as Node[]) ?? "";
  const given = parts.filter(({ child }) => child.field === "args");
  const polymorphic = (catalog.functions.get(name) ?? []).some(
    ({ own, result }) => !own || result.startsWith("any"),
  );
  if (!filling.test(name) && !(polymorphic && given.length > 1)) return;
  for (const type of given.flatMap(({ types }) => [...types])) {
    const called = denied.makes.get(type);
    if (called !== undefined)
      refuse("function_not_allowed", `permission denied for making values of type ${type}`, {
        detail: `It calls ${called.schema}.${called.name}, which ${grants.file} does not allow by name.`,
        hint: `The function or the type can be allowed under functions.allow in ${grants.file}.`,
      });
  }
}
