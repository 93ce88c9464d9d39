/** Why no role can be allowed a kind of statement. */
const reasons = {
  code: "It puts code into the database, or makes it run, which no rule of a role would reach.",
  rights: "Who may do what in the database follows from the role files, by `rolegate apply`.",
  outside: "It lets the database reach, or be reached by, something outside of it.",
  server: "It concerns the database or the server as a whole.",
  upkeep: "It shows or moves how rows are stored, of relations whose rows the role may not see.",
  other: "No role can be allowed statements of this kind.",
} as const;

type Reason = keyof typeof reasons;

/** Nodes by reason; those with a name of their own where that of the node would not do. */
const kinds: Readonly<Record<Exclude<Reason, "other">, Readonly<Record<string, string | undefined>>>> = {
  code: {
    AlterFunctionStmt: undefined,
    AlterOperatorStmt: undefined,
    AlterOpFamilyStmt: "ALTER OPERATOR FAMILY",
    AlterEventTrigStmt: "ALTER EVENT TRIGGER",
    CallStmt: undefined,
    CreateAmStmt: "CREATE ACCESS METHOD",
    CreateCastStmt: undefined,
    CreateConversionStmt: undefined,
    CreateDomainStmt: undefined,
    CreateEventTrigStmt: "CREATE EVENT TRIGGER",
    CreateFunctionStmt: undefined,
    CreateOpClassStmt: "CREATE OPERATOR CLASS",
    CreateOpFamilyStmt: "CREATE OPERATOR FAMILY",
    CreatePLangStmt: "CREATE LANGUAGE",
    CreateRangeStmt: "CREATE TYPE AS RANGE",
    CreateTransformStmt: undefined,
    CreateTrigStmt: "CREATE TRIGGER",
    DefineStmt: "CREATE AGGREGATE, OPERATOR, TYPE or the like",
    DoStmt: undefined,
    LoadStmt: undefined,
    RuleStmt: "CREATE RULE",
  },
  rights: {
    AlterDefaultPrivilegesStmt: undefined,
    AlterOwnerStmt: "ALTER … OWNER TO",
    AlterPolicyStmt: undefined,
    AlterRoleSetStmt: "ALTER ROLE … SET",
    AlterRoleStmt: undefined,
    CreatePolicyStmt: undefined,
    CreateRoleStmt: undefined,
    DropOwnedStmt: undefined,
    DropRoleStmt: undefined,
    GrantRoleStmt: "GRANT ROLE",
    GrantStmt: undefined,
    ReassignOwnedStmt: undefined,
    SecLabelStmt: "SECURITY LABEL",
  },
  outside: {
    AlterExtensionContentsStmt: "ALTER EXTENSION",
    AlterExtensionStmt: undefined,
    AlterFdwStmt: "ALTER FOREIGN DATA WRAPPER",
    AlterForeignServerStmt: "ALTER SERVER",
    AlterPublicationStmt: undefined,
    AlterSubscriptionStmt: undefined,
    AlterUserMappingStmt: undefined,
    CreateExtensionStmt: undefined,
    CreateFdwStmt: "CREATE FOREIGN DATA WRAPPER",
    CreateForeignServerStmt: "CREATE SERVER",
    CreateForeignTableStmt: undefined,
    CreatePublicationStmt: undefined,
    CreateSubscriptionStmt: undefined,
    CreateUserMappingStmt: undefined,
    DropSubscriptionStmt: undefined,
    DropUserMappingStmt: undefined,
    ImportForeignSchemaStmt: undefined,
  },
  server: {
    AlterDatabaseRefreshCollStmt: "ALTER DATABASE",
    AlterDatabaseSetStmt: "ALTER DATABASE … SET",
    AlterDatabaseStmt: undefined,
    AlterSystemStmt: undefined,
    AlterTableMoveAllStmt: "ALTER … ALL IN TABLESPACE",
    AlterTableSpaceOptionsStmt: "ALTER TABLESPACE",
    CheckPointStmt: "CHECKPOINT",
    CreateTableSpaceStmt: "CREATE TABLESPACE",
    CreatedbStmt: "CREATE DATABASE",
    DropTableSpaceStmt: "DROP TABLESPACE",
    DropdbStmt: "DROP DATABASE",
  },
  upkeep: { ClusterStmt: undefined },
};

const byNode: ReadonlyMap<string, { readonly reason: Reason; readonly name: string | undefined }> = new Map(
  Object.entries(kinds).flatMap(([reason, nodes]) =>
    Object.entries(nodes).map(([node, name]) => [node, { reason: reason as Reason, name }] as const),
  ),
);

/** What a client is told of a statement of a kind that is not judged. @param inWords the node's name in words */
export function refusedKind(
  node: string,
  inWords: string,
): { readonly name: string; readonly detail: string } {
  const known = byNode.get(node);
  return { name: known?.name ?? inWords, detail: reasons[known?.reason ?? "other"] };
}
