"""asyncpg: everything binary and prepared, portals, COPY in its binary form, type introspection, listeners."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import asyncpg
from steps import OTHERS_ORDER, OWN_ORDER, ROOT, TOKEN, TOKEN_USER, say


@asynccontextmanager
async def connect(**more):
    connection = await asyncpg.connect(**{"ssl": False, **more})
    try:
        yield connection
    finally:
        await connection.close()


async def code(awaitable):
    try:
        await awaitable
    except asyncpg.PostgresError as error:
        return error.sqlstate
    return None


def rows_of(tag):
    return int(tag.split()[-1])


async def who():
    async with connect() as connection:
        return {
            "identity": await connection.fetchval("show rolegate.identity"),
            "role": await connection.fetchval("select current_user"),
        }


secured = {"host": "localhost", "ssl": ssl.create_default_context(cafile=ROOT)}


async def tls():
    async with connect(**secured) as connection:
        return {"identity": await connection.fetchval("show rolegate.identity")}


async def token():
    async with connect(user=TOKEN_USER, password=TOKEN, **secured) as connection:
        return {
            "identity": await connection.fetchval("show rolegate.identity"),
            "customers": await connection.fetchval("select count(*) from customers"),
        }


async def introspect():
    async with connect() as connection:
        # The columns of a prepared statement, and with an array of a type that it has to look up first.
        statement = await connection.prepare("select * from products where name = any($1::text[])")
        assert [column.name for column in statement.get_attributes()] == ["id", "name", "price"]
        await connection.fetch("select t.typname, t.typacl from pg_type t where oid = 16")
        text = "select column_name::text from information_schema.columns where table_name = $1 and table_schema = 'public'"
        return sorted(row[0] for row in await connection.fetch(text, "customers"))


async def read():
    async with connect() as connection:
        return {
            "customers": await connection.fetchval("select count(*) from customers"),
            "tenants": [row[0] for row in await connection.fetch("select distinct tenant_id from customers")],
            "orders": len(await connection.fetch("select * from orders")),
            "email": await connection.fetchval("select email from customers where id = $1", 1),
        }


async def join():
    async with connect() as connection:
        text = "select count(*) from customers c join orders o on o.customer_id = c.id where c.tenant_id = any($1::int[])"
        return await connection.fetchval(text, [1, 2])


async def hidden():
    async with connect() as connection:
        return await code(connection.fetch("select ssn from customers where id = $1", 1))


INSERT = "insert into orders (customer_id, tenant_id, amount, note) values ($1, $2, $3, $4)"


async def create():
    async with connect() as connection:
        made = await connection.fetchrow(f"{INSERT} returning *", 1, 1, 5, "made")
        await connection.execute("delete from orders where id = $1", made["id"])
        assert "margin" not in made
        return {name: made[name] for name in ("tenant_id", "status", "note")}


async def create_other():
    async with connect() as connection:
        return await code(connection.execute(INSERT, 2, 2, 5, "made"))


async def update():
    async with connect() as connection:
        text = "update orders set note = 'changed' where id = $1"
        own, other = [rows_of(await connection.execute(text, order)) for order in (OWN_ORDER, OTHERS_ORDER)]
        return {"own": own, "other": other}


async def delete():
    async with connect() as connection:
        made = await connection.fetchval(f"{INSERT} returning id", 1, 1, 5, None)
        text = "delete from orders where id = $1"
        own, other = [rows_of(await connection.execute(text, order)) for order in (made, OTHERS_ORDER)]
        return {"own": own, "other": other}


async def transaction():
    count = "select count(*) from orders"
    saw = {}
    async with connect() as connection:
        outer = connection.transaction()
        await outer.start()
        await connection.execute(INSERT, 1, 1, 5, None)
        saw["inside"] = await connection.fetchval(count)
        saw["refused"] = await code(connection.fetch("select * from tenants"))
        saw["next"] = await code(connection.fetch("select 1"))
        await outer.rollback()
        saw["after"] = await connection.fetchval(count)
        outer = connection.transaction(isolation="repeatable_read")
        await outer.start()
        await connection.execute(INSERT, 1, 1, 5, None)
        try:
            async with connection.transaction():
                await connection.execute(INSERT, 2, 2, 5, None)
        except asyncpg.InsufficientPrivilegeError:
            pass
        saw["savepoint"] = await connection.fetchval(count)
        await outer.rollback()
        saw["end"] = await connection.fetchval(count)
    return saw


async def batch():
    async with connect() as connection:
        before = await connection.fetchval("select count(*) from orders")
        await connection.executemany(INSERT, [(1, 1, n, "batch") for n in range(50)])
        made = await connection.fetchval("select count(*) from orders") - before
        return {"made": made, "deleted": rows_of(await connection.execute("delete from orders where note = 'batch'"))}


async def prepared():
    async with connect() as connection:
        statement = await connection.prepare("select name from customers where id = $1")
        return len([n for n in range(1, 41) if await statement.fetchval(n) is not None])


async def cursor():
    async with connect() as connection, connection.transaction():
        parts = await connection.cursor("select id from orders where amount >= $1 order by id", 0)
        sizes = []
        while rows := await parts.fetch(50):
            sizes.append(len(rows))
        return sizes


async def copy():
    async with connect() as connection:
        chunks = []

        async def take(data):
            chunks.append(data)

        await connection.copy_from_table("orders", output=take, format="csv")
        lines = b"".join(chunks).count(b"\n")
        columns = ["customer_id", "tenant_id", "amount", "note"]

        def into(tenants):
            records = [(1, tenant, 5, "copied") for tenant in tenants]
            return connection.copy_records_to_table("orders", records=records, columns=columns)

        made = rows_of(await into([1, 1, 1]))
        refused = await code(into([1, 2, 1]))
        await connection.execute("delete from orders where note = 'copied'")
        left = await connection.fetchval("select count(*) from orders")
        return {"out": lines, "in": made, "refused": refused, "left": left}


async def error():
    async with connect() as connection:
        try:
            await connection.fetch("select * from tenants")
        except asyncpg.InsufficientPrivilegeError as refusal:
            return {"code": refusal.sqlstate, "detail": refusal.detail, "hint": refusal.hint}


async def cancel():
    async with connect() as connection:
        # A timeout makes asyncpg send a cancel request.
        try:
            await connection.fetch("select pg_sleep(30)", timeout=1)
        except TimeoutError as error:
            return {"code": type(error).__name__, "next": await connection.fetchval("select 1")}


async def notify():
    async with connect() as connection:
        heard = asyncio.get_running_loop().create_future()
        await connection.add_listener("jobs", lambda _, __, channel, payload: heard.set_result([channel, payload]))
        await connection.execute("select pg_notify($1, $2)", "jobs", "hello")
        return await asyncio.wait_for(heard, 10)


async def pool():
    """Each connection that goes back to the pool is reset."""
    async with asyncpg.create_pool(ssl=False, min_size=2, max_size=4) as connections:
        return sorted(set(await asyncio.gather(*[connections.fetchval("select count(*) from customers") for _ in range(20)])))


for name, work in {
    "connect": who, "tls": tls, "token": token, "introspect": introspect, "read": read, "join": join, "hidden": hidden,
    "create": create, "create_other": create_other, "update": update, "delete": delete, "transaction": transaction,
    "batch": batch, "prepared": prepared, "cursor": cursor, "copy": copy, "error": error, "cancel": cancel,
    "notify": notify, "pool": pool,
}.items():  # fmt: skip
    say(name, lambda work=work: asyncio.run(work()))
