import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Timer;
import java.util.TimerTask;
import java.util.TreeMap;
import java.util.TreeSet;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** pgjdbc: server-prepared statements, batches, cursors by fetch size, generated keys, metadata, COPY, cancel, listen. */
public class Jdbc {
  static final int OWN_ORDER = 2;
  static final int OTHERS_ORDER = 1;
  static final String INSERT = "insert into orders (customer_id, tenant_id, amount, note) values (?, ?, ?, ?)";

  interface Work<T> {
    Object with(T value) throws Exception;
  }

  interface Attempt {
    void run() throws SQLException;
  }

  static String env(String name) {
    return System.getenv(name);
  }

  static Connection openAs(String host, String user, String password, String... more) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", user);
    properties.setProperty("password", password);
    for (int n = 0; n < more.length; n += 2) properties.setProperty(more[n], more[n + 1]);
    return DriverManager.getConnection("jdbc:postgresql://" + host + ":" + env("PGPORT") + "/" + env("PGDATABASE"), properties);
  }

  static Connection open(String... more) throws SQLException {
    return openAs(env("PGHOST"), env("PGUSER"), env("PGPASSWORD"), more);
  }

  static Connection secured(String user, String password) throws SQLException {
    return openAs("localhost", user, password, "sslmode", "verify-full", "sslrootcert", env("PGSSLROOTCERT"));
  }

  static void step(String name, Work<Connection> work) {
    step(name, () -> open(), work);
  }

  interface Opening {
    Connection open() throws SQLException;
  }

  static void step(String name, Opening opening, Work<Connection> work) {
    try (Connection connection = opening.open()) {
      System.out.println("{\"step\":" + json(name) + ",\"saw\":" + json(work.with(connection)) + "}");
    } catch (Exception error) {
      System.out.println("{\"step\":" + json(name) + ",\"failed\":" + json(String.valueOf(error)) + "}");
      error.printStackTrace();
    }
  }

  static String json(Object value) {
    if (value instanceof String text) return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
    if (value instanceof Map<?, ?> map) {
      List<String> members = new ArrayList<>();
      map.forEach((key, member) -> members.add(json(key) + ":" + json(member)));
      return "{" + String.join(",", members) + "}";
    }
    if (value instanceof Iterable<?> list) {
      List<String> members = new ArrayList<>();
      for (Object member : list) members.add(json(member));
      return "[" + String.join(",", members) + "]";
    }
    return String.valueOf(value);
  }

  static Map<String, Object> saw(Object... members) {
    Map<String, Object> map = new TreeMap<>();
    for (int n = 0; n < members.length; n += 2) map.put((String) members[n], members[n + 1]);
    return map;
  }

  static PreparedStatement prepare(Connection connection, String text, Object... values) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(text);
    for (int n = 0; n < values.length; n++) statement.setObject(n + 1, values[n]);
    return statement;
  }

  static List<Object> column(Connection connection, String text, Object... values) throws SQLException {
    try (PreparedStatement statement = prepare(connection, text, values);
        ResultSet rows = statement.executeQuery()) {
      List<Object> found = new ArrayList<>();
      while (rows.next()) found.add(rows.getObject(1));
      return found;
    }
  }

  static Object one(Connection connection, String text, Object... values) throws SQLException {
    return column(connection, text, values).get(0);
  }

  static Object count(Connection connection) throws SQLException {
    return one(connection, "select count(*) from orders");
  }

  static int change(Connection connection, String text, Object... values) throws SQLException {
    try (PreparedStatement statement = prepare(connection, text, values)) {
      return statement.executeUpdate();
    }
  }

  static String code(Attempt attempt) {
    try {
      attempt.run();
      return null;
    } catch (SQLException error) {
      return error.getSQLState();
    }
  }

  static Object transaction(Connection connection) throws SQLException {
    Map<String, Object> saw = saw();
    connection.setAutoCommit(false);
    change(connection, INSERT, 1, 1, 5, null);
    saw.put("inside", count(connection));
    saw.put("refused", code(() -> column(connection, "select * from tenants")));
    saw.put("next", code(() -> column(connection, "select 1")));
    connection.rollback();
    saw.put("after", count(connection));
    connection.rollback();
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    change(connection, INSERT, 1, 1, 5, null);
    Savepoint here = connection.setSavepoint("here");
    if (!"42501".equals(code(() -> change(connection, INSERT, 2, 2, 5, null)))) throw new SQLException("not refused");
    connection.rollback(here);
    saw.put("savepoint", count(connection));
    connection.rollback();
    saw.put("end", count(connection));
    connection.rollback();
    return saw;
  }

  static int batch(Connection connection) throws SQLException {
    int made = 0;
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      for (int n = 0; n < 50; n++) {
        for (Map.Entry<Integer, Object> value : Map.<Integer, Object>of(1, 1, 2, 1, 3, n, 4, "batch").entrySet())
          statement.setObject(value.getKey(), value.getValue());
        statement.addBatch();
      }
      // A batch that is rewritten to several VALUES does not say how many rows each of its statements made.
      for (int rows : statement.executeBatch()) made += rows == Statement.SUCCESS_NO_INFO ? 1 : rows;
    }
    return made;
  }

  static Object cursor(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    List<Integer> sizes = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement("select id from orders where amount >= ? order by id")) {
      statement.setInt(1, 0);
      statement.setFetchSize(50);
      ResultSet rows = statement.executeQuery();
      int total = 0;
      while (rows.next()) total++;
      // The driver does not tell of its parts, which are of 50 rows: Execute with a limit, and PortalSuspended.
      for (; total > 0; total -= 50) sizes.add(Math.min(total, 50));
    }
    connection.commit();
    return sizes;
  }

  static Object copy(Connection connection) throws Exception {
    var manager = connection.unwrap(PGConnection.class).getCopyAPI();
    StringWriter out = new StringWriter();
    manager.copyOut("copy orders to stdout", out);
    String into = "copy orders (customer_id, tenant_id, amount, note) from stdin";
    long made = manager.copyIn(into, new StringReader("1\t1\t5\tcopied\n".repeat(3)));
    String refused = null;
    try {
      manager.copyIn(into, new StringReader("1\t1\t5\tcopied\n1\t2\t5\tcopied\n1\t1\t5\tcopied\n"));
    } catch (SQLException error) {
      refused = error.getSQLState();
    }
    change(connection, "delete from orders where note = ?", "copied");
    return saw("out", out.toString().lines().count(), "in", made, "refused", refused, "left", count(connection));
  }

  static Object error(Connection connection) throws SQLException {
    try {
      return column(connection, "select * from tenants");
    } catch (PSQLException error) {
      ServerErrorMessage told = error.getServerErrorMessage();
      return saw("code", told.getSQLState(), "detail", told.getDetail(), "hint", told.getHint());
    }
  }

  static Object cancel(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      Timer timer = new Timer(true);
      timer.schedule(
          new TimerTask() {
            @Override
            public void run() {
              code(statement::cancel);
            }
          },
          1_000);
      String asleep = code(() -> statement.executeQuery("select pg_sleep(30)"));
      return saw("code", asleep, "next", one(connection, "select 1"));
    }
  }

  static Object notify(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("listen jobs");
      column(connection, "select pg_notify(?, ?)::text", "jobs", "hello");
      PGNotification[] heard = connection.unwrap(PGConnection.class).getNotifications(10_000);
      return List.of(heard[0].getName(), heard[0].getParameter());
    }
  }

  static Object columns(Connection connection) throws SQLException {
    DatabaseMetaData metadata = connection.getMetaData();
    try (ResultSet rows = metadata.getColumns(null, "public", "customers", "%")) {
      TreeSet<String> names = new TreeSet<>();
      while (rows.next()) names.add(rows.getString("COLUMN_NAME"));
      return names;
    }
  }

  static Object metadata(Connection connection) throws SQLException {
    DatabaseMetaData metadata = connection.getMetaData();
    List<Opened> opened =
        List.of(
            () -> metadata.getCatalogs(),
            () -> metadata.getSchemas(),
            () -> metadata.getTableTypes(),
            () -> metadata.getTypeInfo(),
            () -> metadata.getPrimaryKeys(null, "public", "orders"),
            () -> metadata.getImportedKeys(null, "public", "orders"),
            () -> metadata.getExportedKeys(null, "public", "customers"),
            () -> metadata.getCrossReference(null, "public", "customers", null, "public", "orders"),
            () -> metadata.getIndexInfo(null, "public", "orders", false, true),
            () -> metadata.getBestRowIdentifier(null, "public", "orders", DatabaseMetaData.bestRowSession, false),
            () -> metadata.getColumnPrivileges(null, "public", "orders", "%"),
            () -> metadata.getTablePrivileges(null, "public", "orders"),
            () -> metadata.getFunctions(null, "public", "%"),
            () -> metadata.getFunctionColumns(null, "public", "order_total", "%"),
            () -> metadata.getProcedures(null, "public", "%"),
            () -> metadata.getProcedureColumns(null, "public", "%", "%"),
            () -> metadata.getUDTs(null, "public", "%", null),
            () -> metadata.getClientInfoProperties(),
            () -> metadata.getVersionColumns(null, "public", "orders"));
    for (Opened each : opened)
      try (ResultSet rows = each.open()) {
        while (rows.next()) rows.getObject(1);
      }
    metadata.getSQLKeywords();
    metadata.getMaxConnections();
    try (ResultSet rows = metadata.getTables(null, "public", "%", new String[] {"TABLE", "PARTITIONED TABLE"})) {
      TreeSet<String> names = new TreeSet<>();
      while (rows.next()) names.add(rows.getString("TABLE_NAME"));
      return names;
    }
  }

  interface Opened {
    ResultSet open() throws SQLException;
  }

  /** A ResultSet that writes by itself: it reads the row's primary key in the catalogs. One's own row, then one of others. */
  static Object updatable(Connection connection) throws SQLException {
    String text = "select id, tenant_id, note from orders where id = " + OWN_ORDER;
    try (Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
        ResultSet rows = statement.executeQuery(text)) {
      rows.next();
      rows.updateString("note", "changed");
      rows.updateRow();
      if (!"changed".equals(one(connection, "select note from orders where id = ?", OWN_ORDER))) throw new SQLException("not changed");
      rows.updateInt("tenant_id", 2);
      return code(rows::updateRow);
    }
  }

  static Object generatedKeys(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT, Statement.RETURN_GENERATED_KEYS)) {
      Object[] values = {1, 1, 5, null};
      for (int n = 0; n < values.length; n++) statement.setObject(n + 1, values[n]);
      statement.executeUpdate();
      try (ResultSet keys = statement.getGeneratedKeys()) {
        keys.next();
        for (int n = 1; n <= keys.getMetaData().getColumnCount(); n++)
          if (keys.getMetaData().getColumnName(n).equals("margin")) throw new SQLException("margin is shown");
        change(connection, "delete from orders where id = ?", keys.getInt("id"));
        return saw("tenant_id", keys.getInt("tenant_id"), "status", keys.getString("status"));
      }
    }
  }

  static Object createOne(Connection connection) throws SQLException {
    try (PreparedStatement statement = prepare(connection, INSERT + " returning id, tenant_id, status, note", 1, 1, 5, "made");
        ResultSet made = statement.executeQuery()) {
      made.next();
      change(connection, "delete from orders where id = ?", made.getInt("id"));
      return saw("tenant_id", made.getInt("tenant_id"), "status", made.getString("status"), "note", made.getString("note"));
    }
  }

  public static void main(String[] words) {
    step("version", connection -> connection.getMetaData().getDriverVersion());
    step("connect", connection -> saw("identity", one(connection, "show rolegate.identity"), "role", one(connection, "select current_user::text")));
    step("tls", () -> secured(env("PGUSER"), env("PGPASSWORD")), connection -> saw("identity", one(connection, "show rolegate.identity")));
    step(
        "token",
        () -> secured(env("TOKEN_USER"), env("TOKEN")),
        connection -> saw("identity", one(connection, "show rolegate.identity"), "customers", one(connection, "select count(*) from customers")));
    step("introspect", Jdbc::columns);
    step("metadata", Jdbc::metadata);
    step(
        "read",
        connection ->
            saw(
                "customers", one(connection, "select count(*) from customers"),
                "tenants", column(connection, "select distinct tenant_id from customers where tenant_id = any(?)", connection.createArrayOf("int4", new Integer[] {1, 2})),
                "orders", column(connection, "select * from orders").size(),
                "email", one(connection, "select email from customers where id = ?", 1)));
    step("join", connection -> one(connection, "select count(*) from customers c join orders o on o.customer_id = c.id"));
    step("hidden", connection -> code(() -> column(connection, "select ssn from customers where id = ?", 1)));
    step("create", Jdbc::createOne);
    step("generated_keys", Jdbc::generatedKeys);
    step("create_other", connection -> code(() -> change(connection, INSERT, 2, 2, 5, null)));
    String update = "update orders set note = 'changed' where id = ?";
    step("update", connection -> saw("own", change(connection, update, OWN_ORDER), "other", change(connection, update, OTHERS_ORDER)));
    step(
        "delete",
        connection -> {
          Object made = one(connection, INSERT + " returning id", 1, 1, 5, null);
          String text = "delete from orders where id = ?";
          return saw("own", change(connection, text, made), "other", change(connection, text, OTHERS_ORDER));
        });
    step("updatable", Jdbc::updatable);
    step("transaction", Jdbc::transaction);
    step("batch", connection -> saw("made", batch(connection), "deleted", change(connection, "delete from orders where note = ?", "batch")));
    step(
        "rewritten_batch",
        () -> open("reWriteBatchedInserts", "true"),
        connection -> {
          batch(connection);
          return change(connection, "delete from orders where note = ?", "batch");
        });
    step(
        "prepared",
        connection -> {
          int found = 0;
          // From the fifth time on the statement has a name at the server.
          try (PreparedStatement statement = connection.prepareStatement("select name from customers where id = ?")) {
            for (int id = 1; id <= 40; id++) {
              statement.setInt(1, id);
              try (ResultSet rows = statement.executeQuery()) {
                if (rows.next()) found++;
              }
            }
          }
          return found;
        });
    step("simple", () -> open("preferQueryMode", "simple"), connection -> column(connection, "select name from customers where id > ?", 0).size());
    step("cursor", Jdbc::cursor);
    step("copy", Jdbc::copy);
    step("error", Jdbc::error);
    step("cancel", Jdbc::cancel);
    step("notify", Jdbc::notify);
  }
}
