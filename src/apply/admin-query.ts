/**
 * Runs one statement as the administrator and gives its rows. The search_path must be `pg_catalog, pg_temp`, so that
 * no object of the database stands in for one of the server's.
 */
export type AdminQuery = <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;
