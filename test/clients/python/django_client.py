"""Django: the ORM over tables that are not its own, migrations' schema editor, inspectdb, server-side cursors, TestCase-like atomics."""

from io import StringIO

import django
from django.conf import settings
from steps import DATABASE, HOST, OTHERS_ORDER, OWN_ORDER, PASSWORD, PORT, ROOT, TOKEN, TOKEN_USER, USER, say

ours = {"ENGINE": "django.db.backends.postgresql", "HOST": HOST, "PORT": PORT, "NAME": DATABASE, "USER": USER, "PASSWORD": PASSWORD}
secured = {**ours, "HOST": "localhost", "OPTIONS": {"sslmode": "verify-full", "sslrootcert": ROOT}}
settings.configure(
    DATABASES={
        "default": ours,
        "secured": secured,
        "token": {**secured, "USER": TOKEN_USER, "PASSWORD": TOKEN},
        # Where migrations make their tables.
        "app": {**ours, "OPTIONS": {"options": "-c search_path=app"}},
    },
    INSTALLED_APPS=["shop"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import DatabaseError, connection, connections, models, transaction  # noqa: E402
from django.db.models import Count, F, Prefetch  # noqa: E402
from shop.models import Customer, Order, Thing  # noqa: E402


def state(error):
    return error.__cause__.sqlstate


def code(work):
    try:
        work()
    except DatabaseError as error:
        return state(error)
    return None


def one(text, parameters=None, using=connection):
    with using.cursor() as cursor:
        cursor.execute(text, parameters)
        return cursor.fetchone()[0]


def who():
    return {"identity": one("show rolegate.identity"), "role": one("select current_user")}


def tls():
    return {"identity": one("show rolegate.identity", using=connections["secured"])}


def token():
    return {
        "identity": one("show rolegate.identity", using=connections["token"]),
        "customers": Customer.objects.using("token").count(),
    }


def introspect():
    with connection.cursor() as cursor:
        introspection = connection.introspection
        names = {table.name for table in introspection.get_table_list(cursor)}
        assert {"customers", "orders"} <= names, names
        assert introspection.get_primary_key_column(cursor, "customers") == "id"
        assert introspection.get_relations(cursor, "orders")["customer_id"] == ("id", "customers")
        assert "orders_customer_id" in introspection.get_constraints(cursor, "orders")
        assert introspection.get_sequences(cursor, "orders")
        # Django reads a table's columns from `select * … limit 1`, so here it is told of those that the role sees.
        seen = [column.name for column in introspection.get_table_description(cursor, "customers")]
        assert sorted(seen) == ["created_at", "email", "id", "name", "tenant_id"], seen
        text = "select column_name from information_schema.columns where table_schema = 'public' and table_name = 'customers'"
        cursor.execute(text)
        return sorted(name for (name,) in cursor.fetchall())


def inspectdb():
    out = StringIO()
    call_command("inspectdb", stdout=out)
    return sorted(line.split()[1].split("(")[0] for line in out.getvalue().splitlines() if line.startswith("class ") and "Model" in line)


def read():
    return {
        "customers": Customer.objects.count(),
        "tenants": list(Customer.objects.values_list("tenant_id", flat=True).distinct()),
        "orders": len(Order.objects.all()),
        "email": Customer.objects.get(pk=1).email,
    }


def join():
    loaded = sum(len(one.orders.all()) for one in Customer.objects.prefetch_related(Prefetch("orders")))
    assert Order.objects.filter(customer__name__contains=" ").select_related("customer").count() == loaded
    # GROUP BY the primary key.
    assert sum(one.n for one in Customer.objects.annotate(n=Count("orders")).order_by("-n")) == loaded
    return loaded


def hidden():
    return code(lambda: list(Customer.objects.raw("select id, ssn from customers")))


def create():
    order = Order.objects.create(tenant_id=1, customer_id=1, amount=5, note="made")
    order.refresh_from_db()
    order.delete()
    return {"tenant_id": order.tenant_id, "status": order.status, "note": order.note}


def create_other():
    return code(lambda: Order.objects.create(tenant_id=2, customer_id=2, amount=5))


def update():
    order = Order.objects.get(pk=OWN_ORDER)
    order.note = "changed"
    order.save()
    order.refresh_from_db()
    return {
        "own": Order.objects.filter(pk=OWN_ORDER, note="changed").update(amount=F("amount") + 0),
        "other": Order.objects.filter(pk=OTHERS_ORDER).update(note="changed"),
    }


def delete():
    made = Order.objects.create(tenant_id=1, customer_id=1, amount=5)
    return {"own": made.delete()[0], "other": Order.objects.filter(pk=OTHERS_ORDER).delete()[0]}


def transactions():
    saw = {}

    def insert(tenant=1):
        Order.objects.create(tenant_id=tenant, customer_id=tenant, amount=5)

    try:
        with transaction.atomic():
            insert()
            saw["inside"] = Order.objects.count()
            saw["refused"] = code(lambda: one("select * from tenants"))
            saw["next"] = code(lambda: one("select 1"))
            raise KeyError
    except KeyError:
        saw["after"] = Order.objects.count()
    with transaction.atomic():
        insert()

        def refused():
            with transaction.atomic():
                insert(2)

        assert code(refused) == "42501"
        saw["savepoint"] = Order.objects.count()
        transaction.set_rollback(True)
    return {**saw, "end": Order.objects.count()}


def batch():
    Order.objects.bulk_create([Order(tenant_id=1, customer_id=1, amount=n, note="batch") for n in range(50)], batch_size=20)
    made = list(Order.objects.filter(note="batch"))
    for order in made:
        order.amount += 1
    assert Order.objects.bulk_update(made, ["amount"]) == 50
    return {"made": len(made), "deleted": Order.objects.filter(note="batch").delete()[0]}


def prepared():
    return len([n for n in range(1, 41) if Customer.objects.filter(pk=n).exists()])


def cursor():
    ids = list(Order.objects.order_by("id").values_list("id", flat=True).iterator(chunk_size=50))
    with connection.chunked_cursor() as parts:
        parts.execute("select id from orders order by id")
        sizes = []
        while rows := parts.fetchmany(50):
            sizes.append(len(rows))
    assert len(ids) == sum(sizes)
    return sizes


def locked():
    """SELECT … FOR UPDATE needs a right to change the rows."""
    with transaction.atomic():
        found = Order.objects.select_for_update().filter(pk__in=[OWN_ORDER, OTHERS_ORDER]).values_list("pk", flat=True)
        own = list(found)[0]
    with transaction.atomic():
        refused = code(lambda: list(Customer.objects.select_for_update().filter(pk=1)))
        transaction.set_rollback(True)
    return [own, refused]


def error():
    try:
        one("select * from tenants")
    except DatabaseError as refusal:
        diagnostic = refusal.__cause__.diag
        return {"code": state(refusal), "detail": diagnostic.message_detail, "hint": diagnostic.message_hint}


def define():
    app = connections["app"]
    with app.schema_editor() as editor:
        editor.create_model(Thing)
        editor.alter_field(Thing, Thing._meta.get_field("label"), text := wider())
    Thing.objects.using("app").bulk_create([Thing(label="one"), Thing(label="two")])
    rows = list(Thing.objects.using("app").order_by("pk").values_list("label", flat=True))
    with app.cursor() as cursor:
        columns = [column.name for column in app.introspection.get_table_description(cursor, "app_thing")]
    with app.schema_editor() as editor:
        editor.delete_model(Thing)
    assert text.max_length == 40
    return {"rows": rows, "columns": columns}


def wider():
    field = models.CharField(max_length=40, db_index=True)
    field.set_attributes_from_name("label")
    field.model = Thing
    return field


for name, work in {
    "connect": who, "tls": tls, "token": token, "introspect": introspect, "inspectdb": inspectdb, "read": read, "join": join,
    "hidden": hidden, "create": create, "create_other": create_other, "update": update, "delete": delete,
    "transaction": transactions, "batch": batch, "prepared": prepared, "cursor": cursor, "locked": locked, "error": error,
    "define": define,
}.items():  # fmt: skip
    say(name, work)
