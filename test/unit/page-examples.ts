import { readFileSync } from "node:fs";
import path from "node:path";

/** A role file of a page and what somebody who has the role types, with what is answered. */
export type PageExample = {
  /** The heading that it stands under, with a number where there are several. */
  readonly name: string;
  readonly roleFile: string;
  readonly steps: readonly { readonly sql: string; readonly answer: string }[];
};

/** The examples of docs/policy.md, and the database that they run on. */
export function policyExamples(): { readonly database: string; readonly examples: readonly PageExample[] } {
  const page = path.resolve(import.meta.dirname, "../../docs/policy.md");
  return readExamples(readFileSync(page, "utf8"));
}

const databaseHeading = "The database of the examples";

/**
 * Reads a page: the `sql` block under the heading of that name is the database; each `yaml` block is a role file, and the `psql` blocks behind it
 * are a session in that role.
 */
function readExamples(text: string): ReturnType<typeof policyExamples> {
  let heading = "";
  let database: string | undefined;
  const examples: { name: string; roleFile: string; steps: PageExample["steps"] }[] = [];
  for (const [, title, kind, body = ""] of text.matchAll(/^#+ (.+)$|^```(\w+)\n([^]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    else if (kind === "sql" && heading === databaseHeading) database = body;
    else if (kind === "yaml") {
      const same = examples.filter(({ name }) => name.split(", ")[0] === heading).length;
      examples.push({ name: same === 0 ? heading : `${heading}, ${same + 1}`, roleFile: body, steps: [] });
    } else if (kind === "psql") {
      const last = examples.at(-1);
      if (last === undefined) throw new Error(`${heading}: a session without a role file`);
      last.steps = [...last.steps, ...readSession(body)];
    }
  }
  if (database === undefined) throw new Error("the page has no database");
  return { database, examples };
}

const prompt = "shop=> ";
const continued = "shop-> ";

function readSession(body: string): PageExample["steps"] {
  return `\n${body}`
    .split(`\n${prompt}`)
    .slice(1)
    .map((step) => {
      const lines = step.trimEnd().split("\n");
      const more = lines.findIndex((line, index) => index > 0 && !line.startsWith(continued));
      const end = more < 0 ? lines.length : more;
      const sql = lines.slice(0, end).map((line) => line.replace(continued, ""));
      return { sql: sql.join("\n"), answer: lines.slice(end).join("\n") };
    });
}
