"""psycopg2: parameters put into the text by the client, execute_values, named cursors, COPY, cancel, notifications."""

import select
import threading

import psycopg2
import psycopg2.extras
from steps import OTHERS_ORDER, OWN_ORDER, ROOT, TOKEN, TOKEN_USER, say
from contextlib import closing
from io import StringIO


def connect(**more):
    connection = psycopg2.connect("", **more)
    connection.autocommit = True
    return closing(connection)


def execute(connection, text, parameters=None):
    cursor = connection.cursor()
    cursor.execute(text, parameters)
    return cursor


def one(connection, text, parameters=None):
    return execute(connection, text, parameters).fetchone()[0]


def code(work):
    try:
        work()
    except psycopg2.Error as error:
        return error.pgcode
    return None


def who():
    with connect() as connection:
        return {"identity": one(connection, "show rolegate.identity"), "role": one(connection, "select current_user")}


def tls():
    with connect(host="localhost", sslmode="verify-full", sslrootcert=ROOT) as connection:
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
        text = """select attname from pg_catalog.pg_attribute
                  where attrelid = %s::regclass and attnum > 0 and not attisdropped"""
        return sorted(name for (name,) in execute(connection, text, ["public.customers"]))


def read():
    with connect() as connection:
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        cursor.execute("select * from orders")
        return {
            "customers": one(connection, "select count(*) from customers"),
            "tenants": [tenant for (tenant,) in execute(connection, "select distinct tenant_id from customers")],
            "orders": len(cursor.fetchall()),
            "email": one(connection, "select email from customers where id = %s", [1]),
        }


def join():
    with connect() as connection:
        text = "select count(*) from customers c join orders o on o.customer_id = c.id where c.tenant_id in %s"
        return one(connection, text, [(1, 2)])


def hidden():
    with connect() as connection:
        return code(lambda: execute(connection, "select ssn from customers"))


INSERT = "insert into orders (customer_id, tenant_id, amount, note) values (%s, %s, %s, %s)"


def create():
    with connect() as connection:
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        cursor.execute(f"{INSERT} returning *", [1, 1, 5, "made"])
        made = cursor.fetchone()
        execute(connection, "delete from orders where id = %s", [made["id"]])
        assert "margin" not in made
        return {name: made[name] for name in ("tenant_id", "status", "note")}


def create_other():
    with connect() as connection:
        return code(lambda: execute(connection, INSERT, [2, 2, 5, "made"]))


def update():
    with connect() as connection:
        text = "update orders set note = 'changed' where id = %s"
        own = execute(connection, text, [OWN_ORDER]).rowcount
        return {"own": own, "other": execute(connection, text, [OTHERS_ORDER]).rowcount}


def delete():
    with connect() as connection:
        made = one(connection, f"{INSERT} returning id", [1, 1, 5, None])
        text = "delete from orders where id = %s"
        own = execute(connection, text, [made]).rowcount
        return {"own": own, "other": execute(connection, text, [OTHERS_ORDER]).rowcount}


def transaction():
    count = "select count(*) from orders"
    saw = {}
    with connect() as connection:
        connection.autocommit = False
        execute(connection, INSERT, [1, 1, 5, None])
        saw["inside"] = one(connection, count)
        saw["refused"] = code(lambda: execute(connection, "select * from tenants"))
        saw["next"] = code(lambda: execute(connection, "select 1"))
        connection.rollback()
        saw["after"] = one(connection, count)
        execute(connection, INSERT, [1, 1, 5, None])
        execute(connection, "savepoint here")
        assert code(lambda: execute(connection, INSERT, [2, 2, 5, None])) == "42501"
        execute(connection, "rollback to savepoint here")
        saw["savepoint"] = one(connection, count)
        connection.rollback()
        saw["end"] = one(connection, count)
        connection.rollback()
    return saw


def batch():
    with connect() as connection:
        cursor = connection.cursor()
        rows = [(1, 1, n, "batch") for n in range(25)]
        psycopg2.extras.execute_values(cursor, "insert into orders (customer_id, tenant_id, amount, note) values %s", rows)
        made = cursor.rowcount
        psycopg2.extras.execute_batch(cursor, INSERT, rows, page_size=10)
        deleted = execute(connection, "delete from orders where note = 'batch'").rowcount
        return {"made": made + deleted - 25, "deleted": deleted}


def prepared():
    with connect() as connection:
        execute(connection, "prepare customer as select name from customers where id = $1")
        found = [execute(connection, "execute customer (%s)", [n]).fetchone() for n in range(1, 41)]
        execute(connection, "deallocate customer")
        return len([row for row in found if row is not None])


def cursor():
    with connect() as connection:
        connection.autocommit = False
        parts = connection.cursor("parts")
        parts.execute("select id from orders where amount >= %s order by id", [0])
        sizes = []
        while rows := parts.fetchmany(50):
            sizes.append(len(rows))
        parts.close()
        connection.commit()
        return sizes


def copy():
    with connect() as connection:
        cursor = connection.cursor()
        out = StringIO()
        cursor.copy_expert("copy (select * from orders) to stdout with (format csv, header)", out)
        columns = ("customer_id", "tenant_id", "amount", "note")
        cursor.copy_from(StringIO("1\t1\t5\tcopied\n" * 3), "orders", columns=columns)
        made = cursor.rowcount
        mixed = StringIO("1\t1\t5\tcopied\n1\t2\t5\tcopied\n1\t1\t5\tcopied\n")
        refused = code(lambda: cursor.copy_from(mixed, "orders", columns=columns))
        execute(connection, "delete from orders where note = 'copied'")
        lines = len(out.getvalue().splitlines()) - 1
        return {"out": lines, "in": made, "refused": refused, "left": one(connection, "select count(*) from orders")}


def error():
    with connect() as connection:
        try:
            execute(connection, "select * from tenants")
        except psycopg2.errors.InsufficientPrivilege as refusal:
            diagnostic = refusal.diag
            return {"code": refusal.pgcode, "detail": diagnostic.message_detail, "hint": diagnostic.message_hint}


def cancel():
    with connect() as connection:
        timer = threading.Timer(1, connection.cancel)
        timer.start()
        saw = {"code": code(lambda: execute(connection, "select pg_sleep(30)"))}
        timer.join()
        return {**saw, "next": one(connection, "select 1")}


def notify():
    with connect() as connection:
        execute(connection, "listen jobs")
        execute(connection, "notify jobs, 'hello'")
        select.select([connection], [], [], 10)
        connection.poll()
        notification = connection.notifies.pop()
        return [notification.channel, notification.payload]


for name, work in {
    "connect": who, "tls": tls, "token": token, "introspect": introspect, "read": read, "join": join, "hidden": hidden,
    "create": create, "create_other": create_other, "update": update, "delete": delete, "transaction": transaction,
    "batch": batch, "prepared": prepared, "cursor": cursor, "copy": copy, "error": error, "cancel": cancel,
    "notify": notify,
}.items():  # fmt: skip
    say(name, work)
