import { astVisitor, parse, type QName } from "pgsql-ast-parser";

/**
 * The relations that a second implementation, pgsql-ast-parser, finds in a text: each as `schema.name`, or `name` where none
 * is named. Names of CTEs are left out where they are seen, and nowhere else.
 * @returns undefined where it cannot read the text.
 */
function independentRelations(text: string): ReadonlySet<string> | undefined {
  const found = new Set<string>();
  let seen: readonly string[] = [];
  const note = ({ schema, name }: QName): void => {
    if (schema !== undefined || !seen.includes(name))
      found.add(schema === undefined ? name : `${schema}.${name}`);
  };
  const visitor = astVisitor((inner) => ({
    tableRef: note,
    // A CTE sees those before it, and what follows sees all of them.
    with: (statement) => {
      const outside = seen;
      for (const { alias, statement: bound } of statement.bind) {
        inner.statement(bound);
        seen = [...seen, alias.name];
      }
      inner.statement(statement.in);
      seen = outside;
    },
    withRecursive: (statement) => {
      const outside = seen;
      seen = [...seen, statement.alias.name];
      inner.super().withRecursive(statement);
      seen = outside;
    },
  }));
  try {
    for (const statement of parse(text)) visitor.statement(statement);
  } catch {
    return undefined;
  }
  return found;
}

/**
 * Relations that the second implementation finds in a client's text, that are also in what is sent (where it can read that;
 * some calls go, with what stands in them) and that are not among those that were judged.
 * @param judged each with its schema.
 * @returns undefined where it cannot read the client's text.
 */
export function missedRelations(
  written: string,
  sent: string,
  judged: readonly string[],
): string[] | undefined {
  const [theirs, left] = [independentRelations(written), independentRelations(sent)];
  const known = (name: string): boolean => judged.some((own) => own === name || bare(own) === name);
  const stays = (name: string): boolean =>
    left === undefined || [...left].some((other) => bare(other) === bare(name));
  return theirs && [...theirs].filter((name) => stays(name) && !known(name));
}

const bare = (name: string): string => name.slice(name.indexOf(".") + 1);
