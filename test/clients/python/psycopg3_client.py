"""psycopg 3: binary and text, pipelines, server-side cursors, COPY, cancel, notifications."""

import threading

import psycopg
from psycopg import sql
from steps import OTHERS_ORDER, OWN_ORDER, ROOT, TOKEN, TOKEN_USER, say


def connect(**more):
    return psycopg.connect(autocommit=True, **more)


def code(work):
    try:
        work()
    except psycopg.Error as error:
        return error.sqlstate
    return None


def one(connection, text, parameters=None):
    return connection.execute(text, parameters).fetchone()[0]


def who():
    with connect() as connection:
        return {"identity": one(connection, "show rolegate.identity"), "role": one(connection, "select current_user")}


def tls():
    with connect(host="localhost", sslmode="verify-full", sslrootcert=ROOT, channel_binding="require") as connection:
        return {"identity": one(connection, "show rolegate.identity")}


def token():
    secured = {"sslmode": "verify-full", "sslrootcert": ROOT, "host": "localhost"}
    with connect(user=TOKEN_USER, password=TOKEN, **secured) as connection:
        return {
            "identity": one(connection, "show rolegate.identity"),
            "customers": one(connection, "select count(*) from customers"),
        }


def introspect():
    with connect() as connection:
        names = connection.execute(
            "select column_name from information_schema.columns where table_schema = 'public' and table_name = %s", ["customers"]
        )
        return sorted(name for (name,) in names)


def read():
    with connect() as connection:
        return {
            "customers": one(connection, "select count(*) from customers"),
            "tenants": [tenant for (tenant,) in connection.execute("select distinct tenant_id from customers")],
            "orders": len(connection.execute("select * from orders").fetchall()),
            "email": one(connection, "select email from customers where id = %s", [1]),
        }


def join():
    with connect() as connection:
        return one(connection, "select count(*) from customers c join orders o on o.customer_id = c.id where c.tenant_id = any(%s)", [[1, 2]])


def hidden():
    with connect() as connection:
        return code(lambda: connection.execute("select ssn from customers where id = %s", [1]))


INSERT = "insert into orders (customer_id, tenant_id, amount, note) values (%s, %s, %s, %s)"


def create():
    with connect() as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        made = cursor.execute(f"{INSERT} returning *", [1, 1, 5, "made"]).fetchone()
        connection.execute("delete from orders where id = %s", [made["id"]])
        assert "margin" not in made
        return {name: made[name] for name in ("tenant_id", "status", "note")}


def create_other():
    with connect() as connection:
        return code(lambda: connection.execute(INSERT, [2, 2, 5, "made"]))


def update():
    with connect() as connection:
        text = "update orders set note = 'changed' where id = %s"
        return {"own": connection.execute(text, [OWN_ORDER]).rowcount, "other": connection.execute(text, [OTHERS_ORDER]).rowcount}


def delete():
    with connect() as connection:
        made = one(connection, f"{INSERT} returning id", [1, 1, 5, None])
        text = "delete from orders where id = %s"
        return {"own": connection.execute(text, [made]).rowcount, "other": connection.execute(text, [OTHERS_ORDER]).rowcount}


def transaction():
    count = "select count(*) from orders"
    saw = {}
    with connect() as connection:
        try:
            with connection.transaction():
                connection.execute(INSERT, [1, 1, 5, None])
                saw["inside"] = one(connection, count)
                saw["refused"] = code(lambda: connection.execute("select * from tenants"))
                saw["next"] = code(lambda: connection.execute("select 1"))
                raise psycopg.Rollback
        except psycopg.Error as error:
            saw["error"] = str(error)
        saw["after"] = one(connection, count)
        with connection.transaction(force_rollback=True):
            connection.execute(INSERT, [1, 1, 5, None])
            try:
                with connection.transaction():
                    connection.execute(INSERT, [2, 2, 5, None])
            except psycopg.errors.InsufficientPrivilege:
                pass
            saw["savepoint"] = one(connection, count)
        saw["end"] = one(connection, count)
    return saw


def batch():
    with connect() as connection, connection.cursor() as cursor:
        cursor.executemany(INSERT, [(1, 1, n, "batch") for n in range(50)])
        made = cursor.rowcount
        return {"made": made, "deleted": connection.execute("delete from orders where note = 'batch'").rowcount}


def prepared():
    with connect() as connection:
        text = "select name from customers where id = %s"
        found = [connection.execute(text, [n], prepare=True).fetchone() for n in range(1, 41)]
        return len([row for row in found if row is not None])


def cursor():
    with connect() as connection, connection.transaction(), connection.cursor("parts") as parts:
        parts.execute("select id from orders where amount >= %s order by id", [0])
        sizes = []
        while rows := parts.fetchmany(50):
            sizes.append(len(rows))
        return sizes


def copy():
    with connect() as connection, connection.cursor() as cursor:
        with cursor.copy("copy orders to stdout") as out:
            lines = b"".join(bytes(block) for block in out).count(b"\n")

        def into(tenants):
            with cursor.copy("copy orders (customer_id, tenant_id, amount, note) from stdin") as rows:
                for tenant in tenants:
                    rows.write_row((1, tenant, 5, "copied"))

        into([1, 1, 1])
        made = cursor.rowcount
        refused = code(lambda: into([1, 2, 1]))
        connection.execute("delete from orders where note = 'copied'")
        return {"out": lines, "in": made, "refused": refused, "left": one(connection, "select count(*) from orders")}


def error():
    with connect() as connection:
        try:
            connection.execute("select * from tenants")
        except psycopg.errors.InsufficientPrivilege as refusal:
            diagnostic = refusal.diag
            return {"code": diagnostic.sqlstate, "detail": diagnostic.message_detail, "hint": diagnostic.message_hint}


def cancel():
    with connect() as connection:
        timer = threading.Timer(1, connection.cancel_safe)
        timer.start()
        saw = {"code": code(lambda: connection.execute("select pg_sleep(30)"))}
        timer.join()
        return {**saw, "next": one(connection, "select 1")}


def notify():
    with connect() as connection:
        connection.execute("listen jobs")
        connection.execute("select pg_notify(%s, %s)", ["jobs", "hello"])
        for notification in connection.notifies(timeout=10, stop_after=1):
            return [notification.channel, notification.payload]


def pipeline():
    with connect() as connection:
        with connection.pipeline():
            first = connection.execute("select count(*) from customers")
            customers = first.fetchone()[0]
        try:
            with connection.pipeline():
                connection.execute("select 1")
                connection.execute("select * from tenants")
                connection.execute("select 2")
            refused = None
        except psycopg.Error as failure:
            refused = failure.sqlstate
        return {"customers": customers, "refused": refused, "after": one(connection, "select count(*) from customers")}


def binary():
    with connect() as connection, connection.cursor(binary=True) as cursor:
        query = sql.SQL("select id, email, created_at, tenant_id from {} where id > %b").format(sql.Identifier("public", "customers"))
        rows = cursor.execute(query, [0]).fetchall()
        assert {row[1] for row in rows} == {"***@example.com"}
        return len(rows)


for name, work in {
    "connect": who, "tls": tls, "token": token, "introspect": introspect, "read": read, "join": join, "hidden": hidden,
    "create": create, "create_other": create_other, "update": update, "delete": delete, "transaction": transaction,
    "batch": batch, "prepared": prepared, "cursor": cursor, "copy": copy, "error": error, "cancel": cancel,
    "notify": notify, "pipeline": pipeline, "binary": binary,
}.items():  # fmt: skip
    say(name, work)
