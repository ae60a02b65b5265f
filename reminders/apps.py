from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.db.models.signals import post_migrate


class RemindersConfig(AppConfig):
    name = "reminders"

    def ready(self) -> None:
        from reminders import receivers  # noqa: F401, PLC0415  # app ready: listens from the start

        post_migrate.connect(_install, sender=self, dispatch_uid="reminders.install")


def _install(*, using: str, apps: Apps | None = None, **_: Any) -> None:
    """Make the row of the fence in a new database before anything else can be in it."""
    from django.utils import timezone  # noqa: PLC0415  # app ready

    from reminders.services.fence import install  # noqa: PLC0415  # app ready

    # Migrating back ends before the table is there; emptying tables leaves them all, and names no state.
    if using == "default" and (apps is None or "beat" in _columns(apps)):
        install(now=timezone.now())


def _columns(apps: Apps) -> set[str]:
    try:
        return {field.name for field in apps.get_model("reminders", "Installation")._meta.get_fields()}
    except LookupError:
        return set()
