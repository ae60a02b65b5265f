from django.apps import AppConfig


class ClinicsConfig(AppConfig):
    """Clinics, their people, rooms and hours."""

    name = "clinics"

    def ready(self) -> None:
        """Register the checks and the receivers."""
        from clinics import checks, receivers  # noqa: F401, PLC0415  # app ready
