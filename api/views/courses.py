"""Courses: listed as they stood, read as they stand, and moved on by the verbs that staff at the desk have."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.describing import Operation
from api.filters import CourseFilter
from api.serializers.base import read_instant
from api.serializers.courses import (
    BookInput,
    CourseDetailAnswer,
    CoursePage,
    PauseAnswer,
    PauseInput,
    ProposalAnswer,
    ReplanInput,
    ResumeInput,
    SlotsAnswer,
    WalkInInput,
)
from api.serializers.sessions import SessionAnswer
from api.views.base import DeedView, FindingView, ListView, ReadView
from clinics.models import Clinic, Scope
from courses import services
from courses.convert import assess_facts, load_facts, local_today
from courses.core.plan_wire import write_plan
from courses.errors import CourseError
from courses.models import Course, Flag, PlanPolicy
from courses.ribbons import ribbon_of
from courses.selectors import phases_in_force

POLICIES = (PlanPolicy.SHIFT, PlanPolicy.CATCH_UP, PlanPolicy.DROP)


def courses_of(clinic: Clinic) -> QuerySet[Course]:
    """Return the courses of a clinic, past drafts, with whom they are about and their open flags."""
    open_flags = Prefetch("flags", Flag.objects.filter(resolved_at=None))
    return (
        Course.objects.for_clinic(clinic)
        .select_related("clinic", "client", "protocol", "practitioner", "prescribed_by")
        .prefetch_related(open_flags)
    )


class CoursesView(ListView):
    operations: ClassVar = {
        "GET": Operation(
            "courses_list",
            "Courses",
            "List courses",
            CoursePage,
            examples.page(examples.COURSE),
            scope=Scope.READ,
            text="In the order in which they were prescribed, each as it stood when it was last assessed.",
            is_list=True,
            filters=CourseFilter,
        )
    }

    def rows(self) -> QuerySet[Any]:
        return courses_of(self.clinic)


@dataclass(frozen=True, slots=True)
class _Standing:
    """A course with its assessment; what is not here is the course's own."""

    course: Course
    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.values[name] if name in self.values else getattr(self.course, name)


def stand(course: Course, *, now: datetime) -> _Standing:
    """Return a course as of now: phases in force, windows, measures, findings.

    Cost: as load_facts(), and two queries.
    """
    today = local_today(course.clinic, now)
    facts = load_facts([course])[course.pk]
    assessment = assess_facts(facts, today=today)
    return _Standing(
        course,
        {
            "as_of": today,
            "phases": phases_in_force([course.pk]).get(course.pk, []),
            "windows": ribbon_of(course, facts, assessment, now=now).windows,
            "measures": assessment.measures,
            # The member is a method of every tuple, so the shape reads a copy.
            "findings": [{**one._asdict(), "says": one.says} for one in assessment.findings],
            "next_check_on": assessment.next_check_on,
        },
    )


class CourseRow(FindingView):
    """An address below a course."""

    def course(self, code: UUID) -> Course:
        found: Course = self.find(courses_of(self.clinic).prefetch_related("pauses"), code)
        return found

    def found(self, code: UUID) -> Any:
        return stand(self.course(code), now=timezone.now())


class CourseView(CourseRow, ReadView):
    operations: ClassVar = {
        "GET": Operation(
            "courses_read",
            "Courses",
            "Read a course",
            CourseDetailAnswer,
            examples.COURSE_DETAIL,
            scope=Scope.READ,
            text="As of now, with phases, windows, measures, findings and pauses. Its ETag is what If-Match names "
            "in the verbs below.",
            refusals=(404,),
        )
    }


class SlotsView(CourseRow):
    operations: ClassVar = {
        "GET": Operation(
            "courses_slots",
            "Courses",
            "Offer slots for the next session",
            SlotsAnswer,
            examples.SLOTS,
            scope=Scope.READ,
            text="Free slots for the session after those already booked, none before its window.",
            refusals=(404, 409),
        )
    }

    def get(self, request: Request, code: UUID) -> Response:
        self.refuse_unknown_parameters()
        return Response(self.show(services.offer_slots(course=self.course(code), now=timezone.now())))


class CourseDeed(CourseRow, DeedView):
    """A verb of a course."""

    read_shape = CourseDetailAnswer

    def lock(self, code: UUID) -> Course:
        return Course.objects.for_clinic(self.clinic).select_for_update(of=("self",)).get(code=code)


class BookView(CourseDeed):
    operations: ClassVar = {
        "POST": Operation(
            "courses_book",
            "Courses",
            "Book a session",
            SessionAnswer,
            examples.SESSION,
            scope=Scope.WRITE,
            status=201,
            body=BookInput,
            body_example=examples.BOOK,
            refusals=(404,),
            is_deed=True,
        )
    }

    def act(self, row: Any, *, now: datetime, **values: Any) -> Any:
        wanted = {"practitioner": None, "room": None, **values}
        return services.book_session(course=row.course, by=self.by, now=now, **wanted)

    def address_of(self, made: Any) -> str:
        return reverse("api:session", args=[made.code])


class WalkInView(CourseDeed):
    operations: ClassVar = {
        "POST": Operation(
            "courses_walk_in",
            "Courses",
            "Record a session that was never booked",
            SessionAnswer,
            examples.ATTENDED,
            scope=Scope.WRITE,
            text="The client came, today or before.",
            status=201,
            body=WalkInInput,
            body_example={"on": "2026-03-09", "minutes": 45, "reaction": "none"},
            refusals=(404,),
            is_deed=True,
        )
    }

    def act(self, row: Any, *, now: datetime, **values: Any) -> Any:
        return services.record_walk_in(course=row.course, by=self.by, now=now, **values)

    def address_of(self, made: Any) -> str:
        return reverse("api:session", args=[made.code])


class PauseCourseView(CourseDeed):
    operations: ClassVar = {
        "POST": Operation(
            "courses_pause",
            "Courses",
            "Pause a course",
            PauseAnswer,
            examples.PAUSE,
            scope=Scope.WRITE,
            status=201,
            body=PauseInput,
            body_example={"from_on": "2026-03-10", "to_on": "2026-03-14", "reason": "travel"},
            refusals=(404,),
            is_deed=True,
        )
    }

    def act(self, row: Any, *, now: datetime, **values: Any) -> Any:
        return services.pause_course(course=row.course, by=self.by, now=now, **{"to_on": None, **values})

    def address_of(self, made: Any) -> str:
        return reverse("api:pause", args=[made.code])


class ResumeView(CourseDeed):
    operations: ClassVar = {
        "POST": Operation(
            "courses_resume",
            "Courses",
            "End the pause that holds",
            CourseDetailAnswer,
            examples.COURSE_DETAIL,
            scope=Scope.WRITE,
            body=ResumeInput,
            body_example={"on": "2026-03-12"},
            refusals=(404,),
            is_deed=True,
        )
    }

    def act(self, row: Any, *, now: datetime, on: date | None = None, **values: Any) -> Any:
        day = on or local_today(self.clinic, now)
        services.resume_course(course=row.course, on=day, by=self.by, now=now)
        return self.found(row.course.code)


class PlanPreviewView(CourseRow):
    operations: ClassVar = {
        "GET": Operation(
            "courses_plan",
            "Courses",
            "Propose a plan for the rest",
            ProposalAnswer,
            examples.PROPOSAL,
            scope=Scope.READ,
            text="Nothing is booked: apply it with `courses_replan`. `drop` is shown here too, but lowers the "
            "prescription, so applying it takes a prescriber.",
            parameters={
                "policy": (
                    {"type": "string", "enum": list(POLICIES), "default": "shift"},
                    "How what was missed is made up for.",
                ),
                "not_before": (
                    {"type": "string", "format": "date-time"},
                    "The first moment to plan for; now unless told.",
                ),
            },
            refusals=(404, 409),
        )
    }

    def get(self, request: Request, code: UUID) -> Response:
        asked = self.refuse_unknown_parameters(self.operations["GET"].parameters)
        course = self.course(code)
        policy, not_before = asked.get("policy", PlanPolicy.SHIFT), None
        if policy not in POLICIES:
            raise ValidationError({"policy": [f"Choose one of {', '.join(POLICIES)}."]})
        if "not_before" in asked:
            not_before = read_instant(asked["not_before"])
            if not_before is None:
                raise ValidationError(
                    {"not_before": ["Write a moment with its offset, such as 2026-03-10T09:00:00Z."]}
                )
        return Response(self.show(_propose(course, policy, not_before, now=timezone.now())))


def _propose(course: Course, policy: str, not_before: datetime | None, *, now: datetime) -> dict[str, Any]:
    proposal = services.propose_plan(course=course, now=now, policy=policy, not_before=not_before)
    return {
        **write_plan(proposal.plan),
        "policy": policy,
        "digest": proposal.digest,
        "before": proposal.before,
    }


class ReplanView(CourseDeed):
    operations: ClassVar = {
        "POST": Operation(
            "courses_replan",
            "Courses",
            "Book a proposed plan",
            CourseDetailAnswer,
            examples.COURSE_DETAIL,
            scope=Scope.WRITE,
            text="All of it or nothing. Send the digest of the proposal that was read, with the same policy and "
            "`not_before`; where it would be another plan by now, nothing is booked and the answer is 409 `stale_plan`.",
            body=ReplanInput,
            body_example={"digest": examples.PROPOSAL["digest"], "policy": "shift"},
            refusals=(404,),
            is_deed=True,
        )
    }

    def act(
        self,
        row: Any,
        *,
        now: datetime,
        digest: str = "",
        policy: str = PlanPolicy.SHIFT,
        not_before: datetime | None = None,
        **values: Any,
    ) -> Any:
        proposal = services.propose_plan(course=row.course, now=now, policy=policy, not_before=not_before)
        if proposal.digest != digest:
            raise CourseError(
                "The course or the calendar has changed since. Look at the new proposal.", code="stale_plan"
            )
        services.apply_plan(course=row.course, proposal=proposal, by=self.by, now=now)
        return self.found(row.course.code)
