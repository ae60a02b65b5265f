"""Somebody at the reception while the queue's server is in trouble: `python -m faults.visitor ROUNDS`.

Opens pages, changes data and calls the interface through the whole application, with the queue and the cache where the
environment says they are. Prints one line of JSON with the statuses, the slowest call and the slowest after the first round.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Final

import django

_QUESTION: Final[dict[str, Any]] = {
    "as_of": "2026-03-10",
    "clinic": {"closed_weekdays": [7]},
    "course": {
        "start_on": "2026-03-02",
        "phases": [
            {
                "kind": "intensive",
                "cadence": {"frequency": 1, "period_min": 1, "period_max": 2},
                "sessions_min": 10,
                "sessions_max": 15,
                "grace_days": 1,
                "lapse_days": 14,
            }
        ],
        "sessions": [],
    },
}


def main(rounds: int) -> None:
    """Visit so many times and print what came of it."""
    from django.conf import settings  # noqa: PLC0415  # app ready
    from django.test import Client  # noqa: PLC0415  # app ready

    from clinics.models import User  # noqa: PLC0415  # app ready
    from courses.models import TreatmentSession  # noqa: PLC0415  # app ready

    settings.ALLOWED_HOSTS = ["*"]
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(email="doctor0@example.com"))
    booked = TreatmentSession.objects.filter(status="booked", clinic__name="Clinic 0").order_by("pk")
    codes = list(booked.values_list("code", flat=True)[:rounds])
    statuses: dict[str, int] = {}
    calls: list[float] = []
    later: list[float] = []
    for number in range(rounds):
        steps: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/", {}),
            ("GET", "/courses/", {}),
            ("POST", f"/sessions/{codes[number]}/confirm/", {}),
            (
                "POST",
                "/api/v1/assess/",
                {"content_type": "application/json", "data": json.dumps(_QUESTION)},
            ),
        ]
        for method, path, options in steps:
            started = time.monotonic()
            answer = browser.generic(method, path, **options)
            calls.append(time.monotonic() - started)
            if number:
                later.append(calls[-1])
            name = f"{answer.status_code // 100}xx"
            statuses[name] = statuses.get(name, 0) + 1
            if answer.status_code >= 500:
                statuses[path] = statuses.get(path, 0) + 1
    print(
        json.dumps(
            {"statuses": statuses, "slowest": round(max(calls), 2), "slowest_later": round(max(later), 2)}
        )
    )


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))
