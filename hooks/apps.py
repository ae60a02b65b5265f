from django.apps import AppConfig


class HooksConfig(AppConfig):
    name = "hooks"

    def ready(self) -> None:
        from hooks import receivers  # noqa: F401, PLC0415  # app ready: listens from the start
