import { meaningSettings, type ValueKind } from "./value-kinds.ts";

/** One reason why what an expression gives follows a setting. */
export type Dependence = {
  /** In lower case. `*`: the settings of extensions and of applications, those with a dot in their name. */
  readonly setting: string;
  /** The part of the expression that follows it, for the operator. */
  readonly because: string;
};

/** What the names in a rule stand for. */
export type RuleNames = {
  /** What a column gives. */
  column(name: string): Operand;
  /** What a cast to a type gives that is none of the server's own, and in how many schemas the name stands. */
  type(schema: string | undefined, name: string): { readonly gives: Operand; readonly schemas: number };
  /** The same for a type as the catalog prints it. */
  typeOf(text: string): Operand;
  /** What all functions of a name have in common; undefined: nothing is known of any. */
  function(schema: string, name: string): FunctionNature | undefined;
  /**
   * Operators of this name that are not the server's own. `takesBuiltin`: values of built-in types, and so many literals,
   * can choose one; `chosenBy`: a value of this type can.
   */
  operator(name: string):
    | {
        readonly takesBuiltin: (literals: number) => boolean;
        readonly chosenBy: (type: string) => boolean;
      }
    | undefined;
};

/** What is known of the functions of one name in one schema, taken together. */
export type FunctionNature = {
  readonly immutable: boolean;
  /** Some of them takes an argument of a type that settings have a part in reading. */
  readonly reads: boolean;
  /** The settings that each of them has fixed for itself (CREATE FUNCTION … SET). */
  readonly fixed: ReadonlySet<string>;
  /** The types that they give, as format_type prints them. */
  readonly results: readonly string[];
};

/** What is known of a value in an expression. */
export type Operand = {
  readonly kind: ValueKind | "null" | "literal";
  /** Its type, where that is one of the server's own and known, as the catalog prints it. */
  readonly type?: string | undefined;
  /** Its type, where that is none of the server's own: as the catalog prints it, or `?` where it is not known. */
  readonly made?: string | undefined;
  /** Of a literal without a type; undefined: an attribute of the identity. */
  readonly text?: string | undefined;
};

export type Analysis = {
  readonly names: RuleNames;
  /** Takes down that what the part gives follows the settings. */
  note(settings: readonly string[], because: string): void;
};

export const everything: readonly string[] = [...meaningSettings, "*"];

export function valueOf(kind: ValueKind): Operand {
  return { kind };
}

/** Nothing is known of it. */
export const unknown: Operand = { kind: "unknown", made: "?" };

export function shown({ text }: Operand): string {
  return text === undefined ? "an attribute of the identity" : `'${text}'`;
}

/** The strings of a dotted name in a tree. */
export function nameList(list: unknown): string[] {
  return ((list ?? []) as { String?: { sval?: string } }[]).map((part) => part.String?.sval ?? "");
}
