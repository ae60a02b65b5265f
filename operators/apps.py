from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    """Pages for whoever runs the installation; owns no table."""

    name = "operators"
