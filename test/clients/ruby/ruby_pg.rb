# ruby-pg: typed and untyped parameters, named statements, single-row mode, pipelines, COPY, cancel, notifications.
require "json"
require "pg"

OWN_ORDER = 2
OTHERS_ORDER = 1
INSERT = "insert into orders (customer_id, tenant_id, amount, note) values ($1, $2, $3, $4)"
SECURED = { host: "localhost", sslmode: "verify-full", sslrootcert: ENV["PGSSLROOTCERT"] }

def through(more = {})
  connection = PG.connect(more)
  connection.type_map_for_results = PG::BasicTypeMapForResults.new(connection)
  yield connection
ensure
  connection&.finish
end

# Takes a step; one that fails is printed too, and the next is taken.
def step(name, more = {}, &work)
  line = begin
    { step: name, saw: through(more, &work) }
  rescue StandardError => error
    warn error.full_message
    { step: name, failed: error.message }
  end
  puts JSON.generate(line)
end

def one(connection, text, values = []) = connection.exec_params(text, values).getvalue(0, 0)
def count(connection) = one(connection, "select count(*) from orders")
def change(connection, text, values = []) = connection.exec_params(text, values).cmd_tuples

def code
  yield
  nil
rescue PG::Error => error
  error.result&.error_field(PG::Result::PG_DIAG_SQLSTATE)
end

step("connect") { |c| { identity: one(c, "show rolegate.identity"), role: one(c, "select current_user::text") } }
step("tls", SECURED) { |c| { identity: one(c, "show rolegate.identity") } }
step("token", { **SECURED, user: ENV["TOKEN_USER"], password: ENV["TOKEN"] }) do |c|
  { identity: one(c, "show rolegate.identity"), customers: one(c, "select count(*) from customers") }
end
step("introspect") do |c|
  # As ActiveRecord asks.
  c.exec_params(<<~SQL, ["public.customers"]).column_values(0).sort
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid,
           a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity
      FROM pg_attribute a
      LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      LEFT JOIN pg_type t ON a.atttypid = t.oid
      LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
     WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum
  SQL
end
step("read") do |c|
  {
    customers: one(c, "select count(*) from customers"),
    tenants: c.exec("select distinct tenant_id from customers").column_values(0),
    orders: c.exec("select * from orders").ntuples,
    email: one(c, "select email from customers where id = $1", [1]),
  }
end
step("join") { |c| one(c, "select count(*) from customers c join orders o on o.customer_id = c.id") }
step("hidden") { |c| code { c.exec_params("select ssn from customers where id = $1", [1]) } }
step("create") do |c|
  made = c.exec_params("#{INSERT} returning *", [1, 1, 5, "made"]).first
  c.exec_params("delete from orders where id = $1", [made["id"]])
  raise "margin is shown" if made.key?("margin")

  made.slice("tenant_id", "status", "note")
end
step("create_other") { |c| code { c.exec_params(INSERT, [2, 2, 5, nil]) } }
step("update") do |c|
  text = "update orders set note = 'changed' where id = $1"
  { own: change(c, text, [OWN_ORDER]), other: change(c, text, [OTHERS_ORDER]) }
end
step("delete") do |c|
  made = one(c, "#{INSERT} returning id", [1, 1, 5, nil])
  text = "delete from orders where id = $1"
  { own: change(c, text, [made]), other: change(c, text, [OTHERS_ORDER]) }
end
step("transaction") do |c|
  saw = {}
  begin
    c.transaction do
      c.exec_params(INSERT, [1, 1, 5, nil])
      saw[:inside] = count(c)
      saw[:refused] = code { c.exec("select * from tenants") }
      saw[:next] = code { c.exec("select 1") }
      raise PG::RollbackTransaction if defined?(PG::RollbackTransaction)

      raise "rolled back"
    end
  rescue RuntimeError
    nil
  end
  saw[:after] = count(c)
  c.exec("begin isolation level repeatable read")
  c.exec_params(INSERT, [1, 1, 5, nil])
  c.exec("savepoint here")
  raise "not refused" unless code { c.exec_params(INSERT, [2, 2, 5, nil]) } == "42501"

  c.exec("rollback to savepoint here")
  saw[:savepoint] = count(c)
  c.exec("rollback")
  { **saw, end: count(c) }
end
step("batch") do |c|
  c.enter_pipeline_mode
  50.times { |n| c.send_query_params(INSERT, [1, 1, n, "batch"]) }
  c.pipeline_sync
  made = 0
  loop do
    result = c.get_result
    next if result.nil?
    break if result.result_status == PG::PGRES_PIPELINE_SYNC

    made += result.check.cmd_tuples
  end
  c.exit_pipeline_mode
  { made: made, deleted: change(c, "delete from orders where note = 'batch'") }
end
step("prepared") do |c|
  c.prepare("customer", "select name from customers where id = $1")
  (1..40).count { |id| c.exec_prepared("customer", [id]).ntuples == 1 }
end
step("cursor") do |c|
  sizes = []
  c.transaction do
    c.exec("declare parts cursor for select id from orders order by id")
    until (rows = c.exec("fetch 50 from parts").ntuples).zero?
      sizes << rows
    end
  end
  sizes
end
step("single_row") do |c|
  c.send_query("select id from orders")
  c.set_single_row_mode
  rows = 0
  while (result = c.get_result)
    result.check
    rows += result.ntuples
  end
  rows
end
step("copy") do |c|
  lines = 0
  c.copy_data("copy orders to stdout") { lines += 1 while c.get_copy_data }
  into = lambda do |tenants|
    done = c.copy_data("copy orders (customer_id, tenant_id, amount, note) from stdin", PG::TextEncoder::CopyRow.new) do
      tenants.each { |tenant| c.put_copy_data(["1", tenant.to_s, "5", "copied"]) }
    end
    done.cmd_tuples
  end
  made = into.call([1, 1, 1])
  refused = code { into.call([1, 2, 1]) }
  c.exec("delete from orders where note = 'copied'")
  { out: lines, in: made, refused: refused, left: count(c) }
end
step("error") do |c|
  c.exec("select * from tenants")
rescue PG::InsufficientPrivilege => error
  told = error.result
  {
    code: told.error_field(PG::Result::PG_DIAG_SQLSTATE),
    detail: told.error_field(PG::Result::PG_DIAG_MESSAGE_DETAIL),
    hint: told.error_field(PG::Result::PG_DIAG_MESSAGE_HINT),
  }
end
step("cancel") do |c|
  canceller = Thread.new do
    sleep 1
    c.cancel
  end
  asleep = code { c.exec("select pg_sleep(30)") }
  canceller.join
  { code: asleep, next: one(c, "select 1") }
end
step("notify") do |c|
  c.exec("listen jobs")
  c.exec_params("select pg_notify($1, $2)", %w[jobs hello])
  heard = nil
  c.wait_for_notify(10) { |channel, _, payload| heard = [channel, payload] }
  heard
end
