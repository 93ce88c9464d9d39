import type { FuncCall, Node } from "@pgsql/types";
import { relationKey } from "../../catalog/catalog.ts";
import { wholeCatalogTable } from "./blanked-catalogs.ts";
import { nameParts } from "../text/dotted-name.ts";
import { become, fromItemTree } from "../text/fragment.ts";
import { edit, type Judgement } from "../judgement.ts";
import { closingIndex, indexAfterName } from "../text/source.ts";

const name = "pg_show_all_settings";

/**
 * `FROM pg_show_all_settings()` is pg_settings by another name; pgAdmin asks so. What a role sees of the view takes
 * its place.
 * @returns true if the node was such a call.
 */
export function showSettings(judgement: Judgement, node: Node): boolean {
  const call = settingsCall(node);
  const { catalog, grants } = judgement.context;
  const known = catalog.functions.get(name) ?? [];
  const view = catalog.relations.get(relationKey("pg_catalog", "pg_settings"));
  if (call === undefined || view === undefined || !known.every((found) => found.own)) return false;
  const text = wholeCatalogTable(judgement, view);
  if (text === undefined || grants.functions.has(name)) return false;
  const { source, context } = judgement;
  const alias = "RangeFunction" in node ? node.RangeFunction.alias : undefined;
  const start = call.location ?? 0;
  const close = closingIndex(source, indexAfterName(source, start));
  edit(judgement, start, source.tokens[close]!.end, alias === undefined ? `${text} AS ${name}` : text);
  const tree = fromItemTree(context.parser, `${text} AS x`);
  if (!("RangeSubselect" in tree)) return false;
  become(node, { RangeSubselect: { ...tree.RangeSubselect, alias: alias ?? { aliasname: name } } });
  judgement.relations.add("pg_catalog.pg_settings");
  return true;
}

/** The call of `FROM pg_show_all_settings() AS s`, without anything that only a function in FROM can have. */
function settingsCall(node: Node): FuncCall | undefined {
  if (!("RangeFunction" in node)) return undefined;
  const { functions, ordinality, is_rowsfrom: rows, lateral, coldeflist } = node.RangeFunction;
  const [item, ...others] = functions ?? [];
  if (item === undefined || others.length > 0 || !("List" in item)) return undefined;
  if (ordinality === true || rows === true || lateral === true || coldeflist !== undefined) return undefined;
  const [call] = item.List.items ?? [];
  if (call === undefined || !("FuncCall" in call) || call.FuncCall.args !== undefined) return undefined;
  const names = nameParts(call.FuncCall.funcname);
  const [last, schema = "pg_catalog"] = names.toReversed();
  return last === name && schema === "pg_catalog" ? call.FuncCall : undefined;
}
