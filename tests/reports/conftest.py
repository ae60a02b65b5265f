import pytest


@pytest.fixture(params=["", "protocol", "practitioner"])
def scope(request, db):
    """The scope of a clinic with a history: all of it, one protocol, one practitioner."""
    # app ready: the core's tests run without Django
    from reports.selectors import Scope  # noqa: PLC0415
    from tests.reports.history import HISTORY, PERIOD, TODAY  # noqa: PLC0415

    clinic = HISTORY.cast()
    chosen = {
        "protocol": {"protocol": clinic.protocols.get(slug="face")},
        "practitioner": {"practitioner": clinic.staff_members.get(display_name="Anna")},
    }
    return Scope(clinic, PERIOD, TODAY, **chosen.get(request.param, {}))
