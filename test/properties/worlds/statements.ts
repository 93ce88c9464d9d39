import { extended, say } from "../../pg/raw-connection.ts";
import type { Choices } from "./choices.ts";
import { nothing, type Grammar, type Hostility } from "./scope.ts";
import { query } from "./selects.ts";
import { write } from "./writes.ts";
import type { World } from "./world.ts";

/** How a statement reaches the server. */
type Way = "simple" | "extended" | "cursor" | "prepare" | "copy" | "portal" | "parameters";

/** A statement over a world's tables. */
export type Statement = { readonly text: string; readonly way: Way; readonly writes: boolean };

/** A grammar over a world's tables, with names of its own. */
export function grammarOf(
  choices: Choices,
  world: World,
  {
    major,
    merges,
    hostile,
  }: { readonly major: number; readonly merges: boolean; readonly hostile?: Hostility | undefined },
): Grammar {
  const used = new Map<string, number>();
  return {
    choices,
    world,
    major,
    merges,
    ctes: [],
    fresh: (prefix) => {
      const next = (used.get(prefix) ?? 0) + 1;
      used.set(prefix, next);
      return `${prefix}${next}`;
    },
    hostile,
  };
}

/** A statement that the native database can run too. */
export function statementOf(choices: Choices, world: World, major: number): Statement {
  // Up to 16 MERGE takes no views, which are in the place of tables there.
  const grammar = grammarOf(choices, world, { major, merges: major >= 17 });
  const way = choices.pick<Way>([
    "simple",
    "simple",
    "simple",
    "simple",
    "extended",
    "cursor",
    "prepare",
    "copy",
    "portal",
    "parameters",
  ]);
  const depth = 1 + choices.int(3);
  const text = choices.chance(40) ? write(grammar, depth) : undefined;
  if (text !== undefined)
    return { text, way: way === "extended" || way === "parameters" ? way : "simple", writes: true };
  return { text: query(grammar, nothing, depth).text, way, writes: false };
}

/** A statement as it is sent, and how often the server becomes ready behind it. */
export type Messages = { readonly messages: readonly Buffer[]; readonly syncs: number };

/** The messages of a statement; one that writes is undone, once all that it did has been looked at. */
export function messagesOf(statement: Statement): Messages {
  const { messages, syncs } = plainMessages(statement);
  if (!statement.writes) return { messages, syncs };
  const around = [say.query("begin"), ...messages, say.query("select world_state()"), say.query("rollback")];
  return { messages: around, syncs: syncs + 3 };
}

const simple = (...texts: readonly string[]): Messages => ({
  messages: texts.map((each) => say.query(each)),
  syncs: texts.length,
});

function plainMessages({ text, way }: Statement): Messages {
  switch (way) {
    case "simple":
      return simple(text);
    case "extended":
      return { messages: [...extended(text), say.sync], syncs: 1 };
    case "cursor":
      return simple(
        "begin",
        `declare c cursor for ${text}`,
        "fetch 2 from c",
        "fetch all from c",
        "rollback",
      );
    case "prepare":
      return simple(`prepare p as ${text}`, "execute p", "deallocate all");
    case "copy":
      return simple(`copy (${text}) to stdout`);
    case "portal":
      return {
        messages: [
          say.query("begin"),
          say.parse("s", text),
          say.bind("p", "s"),
          say.describe("P", "p"),
          say.execute("p", 2),
          say.execute("p"),
          say.close("S", "s"),
          say.sync,
          say.query("rollback"),
        ],
        syncs: 3,
      };
    case "parameters": {
      const values: string[] = [];
      // Constants beside a comparison; what stands before a cast would take that type and not the other side's.
      const asked = text.replaceAll(
        /(?<=(?:=|<>|<|>|<=|>=|and|between) )'((?:[^']|'')*)'(?!::|\w)/g,
        (all, value: string) => {
          if (values.length === 4) return all;
          values.push(value.replaceAll("''", "'"));
          return `$${values.length}`;
        },
      );
      return {
        messages: [say.parse("", asked), say.bind("", "", values), say.execute(""), say.sync],
        syncs: 1,
      };
    }
    default:
      return way satisfies never;
  }
}
