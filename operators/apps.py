from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    """Pages for whoever runs the installation; owns no table."""

    name = "operators"

    def ready(self) -> None:
        from operators.naming import name_models  # noqa: PLC0415  # app ready

        name_models()
