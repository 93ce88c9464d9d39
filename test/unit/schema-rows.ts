type Scalar = string | number | boolean;

/** As much of JSON Schema (draft 7) as zod writes for our files. */
type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: Scalar;
  readonly enum?: readonly Scalar[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: Scalar | readonly Scalar[] | Readonly<Record<string, never>>;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
};

/** One line of a reference page: key, value, default, description. */
export type SettingRow = readonly [key: string, value: string, preset: string, description: string];

/**
 * Every setting of a file, in the schema's order. A key that the operator chooses is shown as `<name>`, or as `names`
 * says for the mapping that it stands in; the entries of a list as `[]`, with their type where there are several.
 */
export function settingRows(schema: Schema, names: Readonly<Record<string, string>> = {}): SettingRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    rowsAt(key, value, schema.required?.includes(key) === true, names),
  );
}

function rowsAt(
  key: string,
  schema: Schema,
  required: boolean,
  names: Readonly<Record<string, string>>,
): SettingRow[] {
  const below = variants(schema).flatMap((variant): SettingRow[] => {
    if (variant.properties !== undefined) return settingRows(prefixed(key, variant), names);
    const entry = variant.type === "array" ? variant.items : variant.additionalProperties;
    if (typeof entry !== "object") return [];
    const at = variant.type === "array" ? `${key}[]` : `${key}.<${names[key.split(".").at(-1)!] ?? "name"}>`;
    return variants(entry).flatMap((one) => {
      const kind = one.properties?.["type"]?.const;
      const place = kind === undefined ? at : `${key}[${kind}]`;
      return one.properties === undefined ? [] : settingRows(prefixed(place, one), names);
    });
  });
  const own: SettingRow = [key, valueOf(schema), presetOf(schema, required), schema.description ?? ""];
  // A mapping that only holds others says nothing by itself, unless it has a description.
  return below.length > 0 && own[3] === "" ? below : [own, ...below];
}

function prefixed(prefix: string, schema: Schema): Schema {
  const properties = Object.entries(schema.properties ?? {}).filter(([, value]) => value.const === undefined);
  return {
    properties: Object.fromEntries(properties.map(([key, value]) => [`${prefix}.${key}`, value])),
    required: (schema.required ?? []).map((key) => `${prefix}.${key}`),
  };
}

/** Where a value may stand instead of in the file; the schema writes out a form that it needs only once. */
const elsewhere: ReadonlySet<string> = new Set(["environment", "file", "command"]);

/** The forms that a value may have in the file itself. */
function variants(schema: Schema): readonly Schema[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace("#/definitions/", "");
    if (elsewhere.has(name)) return [];
    throw new Error(`unknown ${schema.$ref}`);
  }
  if (Object.keys(schema.properties ?? {}).join() === "command") return [];
  return schema.anyOf?.flatMap(variants) ?? [schema];
}

function valueOf(schema: Schema): string {
  const forms = variants(schema).map(formOf);
  return forms.length === 0 ? "secret" : [...new Set(forms)].join(", or ");
}

function formOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.properties !== undefined || typeof schema.additionalProperties === "object") return "mapping";
  if (schema.type === "array") return "list";
  if (schema.type === "string") return "text";
  if (schema.type === "integer") return `${schema.minimum} to ${schema.maximum}`;
  return schema.type ?? "any";
}

function presetOf(schema: Schema, required: boolean): string {
  if (required) return "required";
  const { default: preset } = schema;
  if (typeof preset === "object") return Array.isArray(preset) ? "all of them" : "";
  return preset === undefined ? "" : `\`${preset}\``;
}
