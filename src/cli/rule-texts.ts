import type { BoundExpression, Grants, TableGrant } from "../policy/grants.ts";

/** A rule that shaped a statement. */
export type FiredRule = {
  /** `roles/analyst.yaml:7` and `customers.select.rows`. */
  readonly place: string;
  readonly key: string;
  /** As the role file has it; empty where the key says it all. */
  readonly text: string;
};

/** A statement's rules with what each says. */
export function firedRules(rules: readonly string[], grants: Grants): readonly FiredRule[] {
  const texts = ruleTexts(grants);
  return rules.map((rule) => {
    const space = rule.indexOf(" ");
    return { place: rule.slice(0, space), key: rule.slice(space + 1), text: texts.get(rule) ?? "" };
  });
}

/** What each rule says, by its place and key. */
function ruleTexts({ tables, schemas, definitions, unrestricted }: Grants): ReadonlyMap<string, string> {
  return new Map([
    ...(unrestricted === undefined ? [] : [[unrestricted, "whatever the database role may do"] as const]),
    ...[...tables.values(), ...schemas.values()].flatMap((grant) => [
      [grant.rule, summary(grant)] as const,
      ...expressionsOf(grant).map(({ rule, sql }) => [rule, sql] as const),
    ]),
    ...[...definitions.relations.values(), ...definitions.schemas.values()].map(
      ({ rule, allowed }) => [rule, [...allowed].join(", ")] as const,
    ),
  ]);
}

function expressionsOf({ select, insert, update, delete: remove }: TableGrant): readonly BoundExpression[] {
  const rules = [select?.rows, insert?.check, update?.rows, update?.check, remove?.rows];
  return [...(select?.mask.values() ?? []), ...rules].filter((rule) => rule !== undefined);
}

/** `select: id, name; insert: all`. */
function summary({ select, insert, update, delete: remove }: TableGrant): string {
  const parts = Object.entries({ select, insert, update }).flatMap(([use, rule]) =>
    rule === undefined ? [] : [`${use}: ${rule.columns === "all" ? "all" : [...rule.columns].join(", ")}`],
  );
  return [...parts, ...(remove === undefined ? [] : ["delete"])].join("; ");
}
