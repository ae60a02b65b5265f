"""What was done, by whom and when: an append-only table without foreign keys, so that erasure is never blocked."""

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _


class ActorKind(models.TextChoices):
    STAFF = "staff", _("staff member")
    CLIENT = "client", _("client")
    TOKEN = "token", _("program")
    SYSTEM = "system", _("system")


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    def for_clinic(self, clinic: Any) -> "AuditQuerySet":
        return self.filter(clinic_code=clinic.code)

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit events are never changed.")

    def delete(self) -> NoReturn:
        raise TypeError("Audit events are never deleted.")


class AuditEvent(models.Model):
    """One act on one subject; old and new hold changed fields, never names, contacts or clinical text."""

    at = models.DateTimeField()
    clinic_code = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=10, choices=ActorKind)
    actor_code = models.UUIDField(null=True)
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_code = models.UUIDField(null=True)
    old = models.JSONField(default=dict)
    new = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # The owner's audit log, newest first.
            models.Index(fields=["clinic_code", "-at"], name="audit_by_clinic"),
            # What happened to this course, client or session.
            models.Index(fields=["subject_code", "-at"], name="audit_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("Audit events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Audit events are never deleted.")
