"""A Django application over the shop's tables."""
