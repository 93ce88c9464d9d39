from django.db import models


class Customer(models.Model):
    """Without ssn, which is hidden: a model that has it is refused."""

    tenant_id = models.IntegerField()
    name = models.TextField()
    email = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table, managed = "customers", False


class Order(models.Model):
    tenant_id = models.IntegerField()
    customer = models.ForeignKey(Customer, models.DO_NOTHING, related_name="orders")
    status = models.TextField(db_default="draft")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    note = models.TextField(null=True)

    class Meta:
        db_table, managed = "orders", False


class Thing(models.Model):
    label = models.CharField(max_length=20, db_index=True)

    class Meta:
        db_table = "app_thing"
