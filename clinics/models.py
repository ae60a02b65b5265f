"""The tenant: clinics, their people, rooms, opening hours and closures."""

import uuid
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

_Row = TypeVar("_Row", bound=models.Model, covariant=True)


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    RUSSIAN = "ru", _("Russian")


class DateOrder(models.TextChoices):
    """Another order of dates than the language's own."""

    MONTH_FIRST = "month-first", _("month before day")
    ISO = "iso", _("year, month, day")


class Weekday(models.IntegerChoices):
    """ISO weekdays: Monday is 1."""

    MONDAY = 1, _("Monday")
    TUESDAY = 2, _("Tuesday")
    WEDNESDAY = 3, _("Wednesday")
    THURSDAY = 4, _("Thursday")
    FRIDAY = 5, _("Friday")
    SATURDAY = 6, _("Saturday")
    SUNDAY = 7, _("Sunday")


class Role(models.TextChoices):
    OWNER = "owner", _("owner")
    PRESCRIBER = "prescriber", _("prescriber")
    PRACTITIONER = "practitioner", _("practitioner")
    RECEPTIONIST = "receptionist", _("receptionist")
    ANALYST = "analyst", _("analyst")


class ClinicScopedQuerySet(models.QuerySet[_Row]):
    """Rows that belong to a clinic."""

    def for_clinic(self, clinic: "Clinic") -> Self:
        return self.filter(clinic=clinic)


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A login; what it may do is said by its staff memberships."""

    username = None  # type: ignore[assignment]  # e-mail is the login name
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    language = models.CharField(max_length=5, choices=Language, blank=True)
    date_order = models.CharField(max_length=12, choices=DateOrder, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.email


class Clinic(models.Model):
    """A tenant; every other row belongs to one clinic."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64)
    language = models.CharField(max_length=5, choices=Language, default=Language.ENGLISH)
    country = models.CharField(max_length=2, blank=True)
    address = models.CharField(max_length=300, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    sender_name = models.CharField(max_length=80, blank=True)
    reply_to_email = models.EmailField(blank=True)
    booking_lead_days = models.PositiveSmallIntegerField(default=3)
    booking_horizon_days = models.PositiveSmallIntegerField(default=60)
    notice_hours = models.PositiveSmallIntegerField(default=24)
    longest_pause_days = models.PositiveSmallIntegerField(default=21)
    slot_step_minutes = models.PositiveSmallIntegerField(default=15)
    quiet_from_time = models.TimeField(default="21:00")
    quiet_to_time = models.TimeField(default="08:00")
    daily_message_cap = models.PositiveSmallIntegerField(default=3)
    shows_treatment_in_messages = models.BooleanField(default=False)
    # Of so many sessions in a hundred no reminder goes out, so that its effect can be told; 0 of none.
    reminder_holdout_percent = models.PositiveSmallIntegerField(default=0)
    is_demo = models.BooleanField(default=False)
    # The events that a program of the clinic wants to be told of: who writes none of them asks for no endpoints.
    hook_events = models.JSONField(default=list, blank=True)
    # Whether its owners are shown what it still needs.
    is_being_set_up = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    # Since then nobody gets in, no key opens it and nothing goes out; all of its rows stay.
    deactivated_at = models.DateTimeField(null=True, blank=True)
    # Bumped by every change of hours or closures: an assessment made with an older calendar is out of date.
    calendar_version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(slot_step_minutes__gte=1, slot_step_minutes__lte=240),
                name="clinic_slot_step_sane",
            ),
            models.CheckConstraint(
                condition=Q(longest_pause_days__gte=1), name="clinic_pause_limit_positive"
            ),
            models.CheckConstraint(
                condition=Q(reminder_holdout_percent__lte=50), name="clinic_holdout_half_at_most"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OpeningHours(models.Model):
    """One opening interval of one weekday; a weekday without any is a closed day everywhere."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    opens_time = models.TimeField()
    closes_time = models.TimeField()

    objects = ClinicScopedQuerySet["OpeningHours"].as_manager()

    class Meta:
        ordering = ("weekday", "opens_time")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(opens_time__lt=F("closes_time")), name="hours_open_before_close"
            ),
            models.CheckConstraint(condition=Q(weekday__gte=1, weekday__lte=7), name="hours_weekday_iso"),
            models.UniqueConstraint(fields=["clinic", "weekday", "opens_time"], name="hours_unique_start"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_time:%H:%M}-{self.closes_time:%H:%M}"


class Closure(models.Model):
    """Days on which the clinic is closed, both ends included."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="closures")
    from_on = models.DateField()
    to_on = models.DateField()
    reason = models.CharField(max_length=120, blank=True)

    objects = ClinicScopedQuerySet["Closure"].as_manager()

    class Meta:
        ordering = ("from_on",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(from_on__lte=F("to_on")), name="closure_not_upside_down"),
        ]
        indexes: ClassVar = [models.Index(fields=["clinic", "to_on"], name="closure_by_clinic")]

    def __str__(self) -> str:
        return f"{self.from_on} to {self.to_on}"


class Room(models.Model):
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="rooms")
    name = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    objects = ClinicScopedQuerySet["Room"].as_manager()

    class Meta:
        ordering = ("position", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "name"], name="room_unique_name"),
        ]

    def __str__(self) -> str:
        return self.name


class StaffMember(models.Model):
    """A user's role in one clinic; those who treat can be booked."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="staff_members")
    user = models.ForeignKey(User, models.PROTECT, related_name="staff_members")
    role = models.CharField(max_length=20, choices=Role)
    display_name = models.CharField(max_length=120)
    is_treating = models.BooleanField(default=False)
    # Whether the morning's summary comes by e-mail.
    gets_digest = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    # Into this clinic; what the login does in others is no business of its people.
    signed_in_at = models.DateTimeField(null=True, blank=True)

    objects = ClinicScopedQuerySet["StaffMember"].as_manager()

    class Meta:
        ordering = ("position", "display_name")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "user"], name="staff_member_once_per_clinic"),
        ]

    def __str__(self) -> str:
        return self.display_name


class PractitionerHours(models.Model):
    """One working interval of a practitioner; none at all means the clinic's hours."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="practitioner_hours")
    practitioner = models.ForeignKey(StaffMember, models.PROTECT, related_name="hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    starts_time = models.TimeField()
    ends_time = models.TimeField()

    objects = ClinicScopedQuerySet["PractitionerHours"].as_manager()

    class Meta:
        ordering = ("weekday", "starts_time")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(starts_time__lt=F("ends_time")), name="practitioner_hours_start_before_end"
            ),
            models.CheckConstraint(
                condition=Q(weekday__gte=1, weekday__lte=7), name="practitioner_hours_weekday_iso"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts_time:%H:%M}-{self.ends_time:%H:%M}"


class Absence(models.Model):
    """Days on which a practitioner is away, both ends included."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="absences")
    practitioner = models.ForeignKey(StaffMember, models.PROTECT, related_name="absences")
    from_on = models.DateField()
    to_on = models.DateField()
    reason = models.CharField(max_length=120, blank=True)

    objects = ClinicScopedQuerySet["Absence"].as_manager()

    class Meta:
        ordering = ("from_on",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(from_on__lte=F("to_on")), name="absence_not_upside_down"),
        ]
        indexes: ClassVar = [models.Index(fields=["practitioner", "to_on"], name="absence_by_practitioner")]

    def __str__(self) -> str:
        return f"{self.from_on} to {self.to_on}"


class JobStatus(models.TextChoices):
    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("broken off")


ENDED_JOBS = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class BackgroundJob(models.Model):
    """Work that takes longer than a page may: started there, done by a worker in steps, found again by its code.

    Each step commits what it did together with how far it came, so that none is lost and none is done twice.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="jobs")
    # A name of JOB_KINDS.
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.WAITING)
    # What to work on: codes, ids, dates and choices, never a name, a contact or clinical text.
    parameters = models.JSONField(default=dict)
    # What has come of it so far, and whatever its kind needs to know to go on.
    result = models.JSONField(default=dict)
    # Why it failed, one word of its kind's.
    error_code = models.CharField(max_length=40, blank=True)
    done_count = models.PositiveIntegerField(default=0)
    # 0 until it is known.
    total_count = models.PositiveIntegerField(default=0)
    started_by = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="jobs")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # Each claim has a number of its own: what an older one still wants to write is void.
    generation = models.PositiveIntegerField(default=0)
    # Claims since the last step that succeeded.
    attempt_count = models.PositiveSmallIntegerField(default=0)

    objects = ClinicScopedQuerySet["BackgroundJob"].as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status_known"),
            models.CheckConstraint(
                condition=Q(status=JobStatus.RUNNING, lease_until__isnull=False)
                | (~Q(status=JobStatus.RUNNING) & Q(lease_until__isnull=True)),
                name="job_leased_while_running",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ENDED_JOBS, ended_at__isnull=False)
                | (~Q(status__in=ENDED_JOBS) & Q(ended_at__isnull=True)),
                name="job_ended_with_time",
            ),
            models.CheckConstraint(
                condition=(Q(status=JobStatus.FAILED) & ~Q(error_code=""))
                | (~Q(status=JobStatus.FAILED) & Q(error_code="")),
                name="job_failed_with_code",
            ),
        ]
        indexes: ClassVar = [
            # The clinic's list of running and recent jobs.
            models.Index(fields=["clinic", "-created_at"], name="job_by_clinic"),
            # What the tick finds: nobody works on it, or nobody any more.
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=(JobStatus.WAITING, JobStatus.RUNNING)),
                name="job_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}"

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED_JOBS


class Scope(models.TextChoices):
    """What a program with a token may do; `clinics/access.py` says which capabilities that is."""

    READ = "read", _("read")
    WRITE = "write", _("write")
    REPORTS = "reports", _("reports")
    EXPORT = "export", _("export")


class ApiToken(models.Model):
    """A key with which a clinic's own program asks the API; only its hash is kept, and no row is ever deleted."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)
    # Every request of a program looks its key up by this.
    key_hash = models.CharField(max_length=64, unique=True)
    # By which people tell the keys apart that they hold.
    key_start = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(StaffMember, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    # To the hour: a program that asks all day writes the row two dozen times.
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(StaffMember, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ClinicScopedQuerySet["ApiToken"].as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="token_revoked_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="token_expires_after_it_is_made"
            ),
        ]

    def __str__(self) -> str:
        return self.key_start


class AnsweredRequest(models.Model):
    """What a program was answered that named its request: the same request again gets the same answer, not a second deed.

    Nothing here can be read without the program's own key, which is not kept: see clinics/answered.py.
    """

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="answered_requests")
    token = models.ForeignKey(ApiToken, models.PROTECT, related_name="answered_requests", db_index=False)
    # Fingerprints of the name that the program gave, and of what it asked.
    key_mark = models.CharField(max_length=64)
    request_mark = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    # The answer's headers and body, sealed.
    sealed = models.TextField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["AnsweredRequest"].as_manager()

    class Meta:
        constraints: ClassVar = [
            # However often and however many at once, one deed.
            models.UniqueConstraint(fields=["token", "key_mark"], name="answered_request_once"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="answered_request_lives_a_while"
            ),
        ]
        indexes: ClassVar = [
            # What has expired is removed.
            models.Index(fields=["expires_at"], name="answered_request_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"answer {self.status} to token {self.token_id}"


class ListPage(models.TextChoices):
    COURSES = "courses", _("Courses")
    ATTENTION = "attention", _("Needs attention")
    MESSAGES = "messages", _("Messages")


class SavedView(models.Model):
    """The filters of a list under a name, for the member who saved them or, shared, for everybody of the clinic."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="saved_views")
    member = models.ForeignKey(StaffMember, models.PROTECT, related_name="saved_views")
    page = models.CharField(max_length=12, choices=ListPage)
    name = models.CharField(max_length=40)
    # What stands behind the question mark: known filters with values that the list accepted, never a name.
    query = models.CharField(max_length=400)
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = ClinicScopedQuerySet["SavedView"].as_manager()

    class Meta:
        ordering = ("name", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "page", "name"], name="saved_view_unique_name"),
            models.CheckConstraint(condition=~Q(query="") & ~Q(name=""), name="saved_view_says_something"),
        ]
        indexes: ClassVar = [
            # The views above a list: one's own and those that are shared.
            models.Index(fields=["clinic", "page"], name="saved_view_by_page"),
        ]

    def __str__(self) -> str:
        return self.name
