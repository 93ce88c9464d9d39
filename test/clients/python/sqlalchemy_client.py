"""SQLAlchemy: reflection, ORM, insertmanyvalues, stream results and CREATE TABLE, over the driver that DRIVER names."""

import os

from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, func, inspect, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy import ForeignKey
from steps import DATABASE, HOST, OTHERS_ORDER, OWN_ORDER, PASSWORD, PORT, ROOT, TOKEN, TOKEN_USER, USER, say

driver = os.environ["DRIVER"]
url = make_url(f"postgresql+{driver}://").set(username=USER, password=PASSWORD, host=HOST, port=PORT, database=DATABASE)
secured = url.set(host="localhost", query={"sslmode": "verify-full", "sslrootcert": ROOT})
engine = create_engine(url)


class Base(DeclarativeBase):
    pass


class Customer(Base):
    """Without ssn, which is hidden: a mapping that has it is refused."""

    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    name: Mapped[str]
    email: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(server_default=text("'draft'"))
    amount: Mapped[float]
    note: Mapped[str | None]
    customer: Mapped[Customer] = relationship(back_populates="orders")


def state(error):
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)


def code(work):
    try:
        work()
    except DBAPIError as error:
        return state(error)
    return None


def count(session, of=Order):
    return session.scalar(select(func.count()).select_from(of))


def who():
    with engine.connect() as connection:
        return {
            "identity": connection.scalar(text("show rolegate.identity")),
            "role": connection.scalar(text("select current_user")),
        }


def tls():
    with create_engine(secured).connect() as connection:
        return {"identity": connection.scalar(text("show rolegate.identity"))}


def token():
    with Session(create_engine(secured.set(username=TOKEN_USER, password=TOKEN))) as session:
        return {"identity": session.scalar(text("show rolegate.identity")), "customers": count(session, Customer)}


def introspect():
    inspector = inspect(engine)
    assert {"customers", "orders", "products"} <= set(inspector.get_table_names())
    assert inspector.get_pk_constraint("customers")["constrained_columns"] == ["id"]
    assert [key["referred_table"] for key in inspector.get_foreign_keys("orders")] == ["customers", "tenants"]
    assert "orders_customer_id" in {index["name"] for index in inspector.get_indexes("orders")}
    assert inspector.get_view_names("reporting") == ["product_sales"]
    for table in inspector.get_table_names():
        inspector.get_unique_constraints(table), inspector.get_check_constraints(table), inspector.get_table_comment(table)
    MetaData().reflect(engine)
    return sorted(column["name"] for column in inspector.get_columns("customers"))


def automap():
    """Of tables that the role sees whole reflection makes classes that work as they are."""
    mapped = automap_base()
    mapped.prepare(autoload_with=engine)
    with Session(engine) as session:
        return len(session.scalars(select(mapped.classes.products)).all())


def read():
    with Session(engine) as session:
        return {
            "customers": count(session, Customer),
            "tenants": list(session.scalars(select(Customer.tenant_id).distinct())),
            "orders": len(session.scalars(select(Order)).all()),
            "email": session.get(Customer, 1).email,
        }


def join():
    with Session(engine) as session:
        everybody = session.scalars(select(Customer).options(selectinload(Customer.orders))).all()
        loaded = sum(len(customer.orders) for customer in everybody)
        assert session.scalar(select(func.count()).select_from(Customer).join(Order)) == loaded
        return loaded


def hidden():
    with engine.connect() as connection:
        return code(lambda: connection.execute(text("select ssn from customers where id = :id"), {"id": 1}))


def create():
    with Session(engine) as session:
        order = Order(tenant_id=1, customer_id=1, amount=5, note="made")
        session.add(order)
        session.commit()
        saw = {"tenant_id": order.tenant_id, "status": order.status, "note": order.note}
        session.delete(order)
        session.commit()
        return saw


def create_other():
    with Session(engine) as session:
        session.add(Order(tenant_id=2, customer_id=2, amount=5, note="made"))
        return code(session.commit)


def update():
    with Session(engine) as session:
        order = session.get(Order, OWN_ORDER)
        order.note = "changed"
        session.commit()
        session.refresh(order)
        assert session.get(Order, OTHERS_ORDER) is None
        other = session.execute(Order.__table__.update().where(Order.id == OTHERS_ORDER).values(note="changed")).rowcount
        return {"own": int(order.note == "changed"), "other": other}


def delete():
    with Session(engine) as session:
        order = Order(tenant_id=1, customer_id=1, amount=5)
        session.add(order)
        session.flush()
        own, other = [
            session.execute(Order.__table__.delete().where(Order.id == one)).rowcount for one in (order.id, OTHERS_ORDER)
        ]
        session.commit()
        return {"own": own, "other": other}


def transaction():
    saw = {}
    with Session(engine) as session:
        session.add(Order(tenant_id=1, customer_id=1, amount=5))
        session.flush()
        saw["inside"] = count(session)
        saw["refused"] = code(lambda: session.execute(text("select * from tenants")))
        saw["next"] = code(lambda: session.execute(text("select 1")))
        session.rollback()
        saw["after"] = count(session)
        session.add(Order(tenant_id=1, customer_id=1, amount=5))
        session.flush()

        def refused():
            with session.begin_nested():
                session.add(Order(tenant_id=2, customer_id=2, amount=5))

        assert code(refused) == "42501"
        saw["savepoint"] = count(session)
        session.rollback()
        saw["end"] = count(session)
    return saw


def batch():
    with Session(engine) as session:
        session.add_all([Order(tenant_id=1, customer_id=1, amount=n, note="batch") for n in range(50)])
        session.flush()
        made = session.scalar(select(func.count()).select_from(Order).where(Order.note == "batch"))
        deleted = session.execute(Order.__table__.delete().where(Order.note == "batch")).rowcount
        session.commit()
        return {"made": made, "deleted": deleted}


def prepared():
    with Session(engine) as session:
        return len([n for n in range(1, 41) if session.get(Customer, n) is not None])


def cursor():
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=50).execute(select(Order.id).order_by(Order.id))
        return [len(part) for part in rows.partitions()]


def error():
    try:
        with engine.connect() as connection:
            connection.execute(text("select * from tenants"))
    except DBAPIError as refusal:
        diagnostic = refusal.orig.diag
        return {"code": state(refusal), "detail": diagnostic.message_detail, "hint": diagnostic.message_hint}


def define():
    metadata = MetaData(schema="app")
    things = Table("things", metadata, Column("id", Integer, primary_key=True), Column("label", String(20), index=True))
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(things.insert(), [{"label": "one"}, {"label": "two"}])
        rows = list(connection.scalars(select(things.c.label).order_by(things.c.id)))
    columns = [column["name"] for column in inspect(engine).get_columns("things", schema="app")]
    metadata.drop_all(engine)
    return {"rows": rows, "columns": columns}


for name, work in {
    "connect": who, "tls": tls, "token": token, "introspect": introspect, "automap": automap, "read": read, "join": join,
    "hidden": hidden, "create": create, "create_other": create_other, "update": update, "delete": delete,
    "transaction": transaction, "batch": batch, "prepared": prepared, "cursor": cursor, "error": error, "define": define,
}.items():  # fmt: skip
    say(name, work)
