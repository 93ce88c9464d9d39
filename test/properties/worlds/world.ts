import type { Choices } from "./choices.ts";
import { columnKinds, quoted, type ColumnKind } from "./columns.ts";

/** A table's rules in the words of the role file; `@tenant` and `@tenants` stand for attributes of the identity. */
export type Rules = {
  readonly select:
    | {
        readonly columns: readonly string[];
        readonly masks: ReadonlyMap<string, string>;
        readonly rows: string | undefined;
      }
    | undefined;
  readonly insert: { readonly columns: readonly string[]; readonly check: string | undefined } | undefined;
  readonly update:
    | {
        readonly columns: readonly string[];
        readonly rows: string | undefined;
        readonly check: string | undefined;
      }
    | undefined;
  readonly delete: { readonly rows: string | undefined } | undefined;
};

type Shape = "table" | "partitioned" | "inherited" | "view";

export type Table = {
  readonly schema: string;
  readonly name: string;
  readonly shape: Shape;
  /** In order, those that every table has included. */
  readonly columns: readonly ColumnKind[];
  /** Undefined: the role file does not name the table. */
  readonly rules: Rules | undefined;
  /** Rows as SQL literals, with whether the role's row rule shows them. */
  readonly rows: readonly { readonly visible: boolean; readonly values: readonly string[] }[];
  /** The table that `ref` refers to, by index; undefined: none. */
  readonly refersTo: number | undefined;
};

export type World = { readonly tables: readonly Table[] };

const plain = (
  name: string,
  type: ColumnKind["type"],
  flavor: ColumnKind["flavor"] = "plain",
): ColumnKind => ({
  name,
  type,
  flavor,
  shown: ["1"],
  hidden: () => "0",
});

/** Columns of every table: its key, whose row it is, a reference to another table, and one that follows from others. */
const own = [plain("id", "int"), plain("tenant", "int"), plain("ref", "int")];
const derived = plain("twice", "int");

/** Identity of the role's user, as the role file's expressions name it and as SQL literals. */
export const identity = { tenant: 1, tenants: [1, 3] } as const;

const rowRules: readonly (readonly [rule: string, tenants: readonly number[], flag: boolean])[] = [
  ["tenant = @tenant", [1], false],
  ["tenant = any(@tenants)", [1, 3], false],
  ["tenant = @tenant and flag", [1], true],
  ["tenant = @tenant or tenant = 3", [1, 3], false],
  ["tenant in (1, 3)", [1, 3], false],
  ["coalesce(tenant, 0) = @tenant", [1], false],
  ["tenant::text = @tenant", [1], false],
  ["lower(upper(tenant::text)) = @tenant and flag is true", [1], true],
  // Dearer than a client's conditions, which the planner therefore puts first where nothing keeps it from doing so.
  ["lower(upper(lower(upper(lower(upper(tenant::text)))))) = @tenant", [1], false],
  ["left(repeat(tenant::text || 'x', 3), 1) in (@tenant, '3')", [1, 3], false],
  ["md5(tenant::text) = md5(@tenant::text) and md5(flag::text) = md5('true')", [1], true],
  ["case when tenant = @tenant then true else false end", [1], false],
];

const names: readonly (readonly [schema: string, name: string])[] = [
  ["public", "orders"],
  ["public", "customers"],
  ["crm", "notes"],
  ["public", "Odd Table"],
  ["crm", "orders"],
  ["public", "items"],
  ["crm", "ledger"],
];

/** The rows' ids: those of visible rows are below, those of hidden ones from here on. */
const firstHiddenId = 50;

/**
 * A database and what a role may do in it.
 * @param hidden chooses what the role does not see; worlds that differ in it and in `secret` must look the same.
 * @param secret the first of the numbers that hidden values are made of, one of nine digits; undefined: what is hidden is
 *   as harmless as what is shown.
 */
export function makeWorld(choices: Choices, hidden: Choices, secret: number | undefined): World {
  let next = secret ?? 0;
  const tables: Table[] = [];
  for (const [schema, name] of names) {
    const from = choices.int(columnKinds.length);
    const turned = [...columnKinds.slice(from), ...columnKinds.slice(0, from)];
    // Digits and divisors tell best when a rule comes too late, so nearly every table has some.
    const telling = choices
      .some(
        columnKinds.filter(({ flavor }) => flavor !== "plain"),
        1,
      )
      .slice(0, 3);
    const more = turned.filter((column) => !telling.includes(column)).slice(0, 1 + choices.int(5));
    const extra = [...telling, ...more];
    const shape =
      tables.length === 0
        ? "table"
        : choices.pick<Shape>(["table", "table", "partitioned", "inherited", "view"]);
    const flagged = extra.some((column) => column.name === "flag")
      ? extra
      : [...extra, columnKinds.find((column) => column.name === "flag")!];
    const columns = [...own, ...flagged, ...(shape === "table" && choices.chance(40) ? [derived] : [])];
    // One table of each world is in no rule, one may be all open.
    const kind = tables.length === 5 ? "secret" : choices.pick(["ruled", "ruled", "ruled", "open"] as const);
    const [rule, tenants, flag] =
      kind === "ruled" && choices.chance(85) ? choices.pick(rowRules) : [undefined, [1], false];
    const rules = kind === "secret" ? undefined : makeRules(choices, kind, columns, rule, shape);
    const masks = rules?.select?.masks ?? new Map<string, string>();
    const seen = new Set(rules?.select?.columns);
    const rows = Array.from({ length: 4 + choices.int(8) }, (_, index) => {
      // Hidden rows come first, so that what runs on them too early raises before a visible row can.
      const visible = rule === undefined ? rules !== undefined : index % 2 === 1;
      const id = visible ? (rule === undefined ? index + 1 : index) : firstHiddenId + index + 1;
      const tenant = visible ? choices.pick(tenants) : hidden.pick([2, 4]);
      const values = columns.map((column) => {
        if (column.name === "id") return String(id);
        // A row may be hidden by its flag alone, or for want of a tenant.
        if (column.name === "tenant")
          return visible
            ? String(tenant)
            : flag && hidden.chance(30)
              ? "1"
              : hidden.chance(10)
                ? "null"
                : String(tenant);
        const chooser = visible ? choices : hidden;
        if (column.name === "ref") return chooser.chance(30) ? "null" : String(chooser.pick([1, 3]));
        if (column.name === "twice") return "default";
        if (column.name === "flag" && flag) return String(visible);
        const secretive = !visible || masks.has(column.name) || !seen.has(column.name);
        const own = secretive ? hidden : choices;
        if (own.chance(12)) return "null";
        if (!secretive) return choices.pick(column.shown);
        return secret === undefined ? hidden.pick(column.shown) : column.hidden(hidden, next++);
      });
      return { visible, values };
    });
    const refersTo = shape === "table" && tables.length > 0 && choices.chance(50) ? 0 : undefined;
    tables.push({ schema, name, shape, columns, rules, rows, refersTo });
  }
  return { tables };
}

function makeRules(
  choices: Choices,
  kind: "ruled" | "open",
  columns: readonly ColumnKind[],
  rows: string | undefined,
  shape: Shape,
): Rules {
  const all = columns.map(({ name }) => name);
  const writable = all.filter((name) => name !== "twice");
  const view = shape === "view";
  if (kind === "open") {
    const write = { columns: all, rows: undefined, check: undefined };
    const writes = !view && choices.chance(60);
    return {
      select: { columns: all, masks: new Map(), rows: undefined },
      insert: writes ? write : undefined,
      update: writes ? write : undefined,
      delete: writes ? write : undefined,
    };
  }
  const seen = choices.chance(25)
    ? all
    : all.filter((name) => ["id", "tenant", "ref"].includes(name) || choices.chance(75));
  const masks = new Map<string, string>();
  for (const { name, type } of columns) {
    if (!seen.includes(name) || ["id", "tenant", "ref", "twice"].includes(name) || !choices.chance(25))
      continue;
    masks.set(name, maskOf(choices, name, type));
  }
  const listed = (): string[] =>
    writable.filter((name) => ["id", "tenant"].includes(name) || choices.chance(70));
  const narrower =
    rows === undefined ? "tenant = @tenant" : choices.pick([rows, `(${rows}) and id < 5`, `id <> 3`]);
  return {
    select: { columns: seen, masks, rows },
    insert:
      !view && choices.chance(70)
        ? {
            columns: listed(),
            check: choices.pick([rows, "tenant = @tenant", "tenant = @tenant and id < 1000"]),
          }
        : undefined,
    update:
      !view && choices.chance(70)
        ? {
            columns: listed(),
            rows: choices.pick([rows, narrower, undefined]),
            check: choices.pick([undefined, "id < 1000", "tenant = @tenant"]),
          }
        : undefined,
    delete: !view && choices.chance(60) ? { rows: choices.pick([rows, narrower]) } : undefined,
  };
}

/** No mask tells anything of the value that it hides. */
function maskOf(choices: Choices, name: string, type: ColumnKind["type"]): string {
  const constant: Partial<Record<ColumnKind["type"], string>> = {
    text: "'7'",
    "varchar(60)": "'7'::varchar",
    int: "7",
    bigint: "7::bigint",
    smallint: "7::smallint",
    boolean: "false",
    "numeric(12,2)": "7.00::numeric(12,2)",
    jsonb: `'{"a": 7}'::jsonb`,
    mood: "'draft'::public.mood",
    "int[]": "array[7]",
  };
  const nothing = `null::${type === "mood" || type === "positive" ? `public.${type}` : type}`;
  const value = constant[type];
  if (value === undefined) return nothing;
  const shown = type === "int" ? "id * 10" : type === "text" ? "left('masked', 2) || (id % 10)" : value;
  return choices.pick([
    value,
    nothing,
    `case when tenant = 1 then ${value} end`,
    name === "digits" || name === "name" ? value : shown,
  ]);
}

/** The columns of a table as the role sees them. */
export function visibleColumns({
  rules,
  columns,
}: Table): readonly (ColumnKind & { readonly masked: boolean })[] {
  const select = rules?.select;
  if (select === undefined) return [];
  return columns
    .filter(({ name }) => select.columns.includes(name))
    .map((column) => ({ ...column, masked: select.masks.has(column.name) }));
}

/** `schema.name` as SQL text. */
export function qualified({ schema, name }: Pick<Table, "schema" | "name">): string {
  return `${quoted(schema)}.${quoted(name)}`;
}
