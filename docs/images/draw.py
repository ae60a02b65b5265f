"""The pictures of the README, drawn by the code that draws the pages: .venv/bin/python -m docs.images.draw"""

import os
import re
from datetime import date, timedelta
from pathlib import Path

import django

from clinics.core import ClinicCalendar
from courses.core.assess import assess
from courses.core.ribbon import RibbonFacts, draw_chart, gather_ribbon
from courses.core.types import Cadence, PauseSpan, PhaseSpec, Prescription, SessionRecord, SessionStatus
from courses.ribbon_svg import chart_svg

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMES = ("light", "dark")
WIDTH = 1040
_MARGIN = 16
# What the drawing refers to: everything about ribbons but the strips of lists, and the page's own colours.
_RULES = re.compile(r"^((?:\.rb-|\.ribbon-chart)[^{@]*)\{([^}]*)\}", re.MULTILINE)
_COLOURS = re.compile(r"(--[\w-]+):\s*([^;{}]+);")
_PAIR = re.compile(r"light-dark\((#\w+), (#\w+)\)")


def main() -> None:
    """Write one picture for light pages and one for dark ones."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
    django.setup()
    for scheme in SCHEMES:
        (Path(__file__).parent / f"ribbon-{scheme}.svg").write_text(draw_ribbon(scheme), encoding="utf-8")


def draw_ribbon(scheme: str) -> str:
    """Return the ribbon of a made-up course as a file that needs no page around it."""
    from courses.ribbon_words import TranslatedWords, summary_of  # noqa: PLC0415  # app ready: it imports models

    facts = tell_course()
    chart = draw_chart(facts, TranslatedWords(facts.today), width=WIDTH)
    title = "How the course goes"
    svg = str(chart_svg(chart, name="ribbon", title=title, description=summary_of(facts)))
    sheet = read_styles(scheme)
    box = f"{-_MARGIN} {-_MARGIN} {chart.width + 2 * _MARGIN:g} {chart.height + 2 * _MARGIN:g}"
    svg = re.sub(r'viewBox="[^"]*" width="[^"]*" height="[^"]*"', f'viewBox="{box}"', svg, count=1)
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    ground = f'<rect class="ground" x="{-_MARGIN}" y="{-_MARGIN}" width="100%" height="100%" rx="12"/>'
    return re.sub(r"(</desc>)", lambda end: f"{end[1]}<style>{sheet}</style>{ground}", svg, count=1) + "\n"


def tell_course() -> RibbonFacts:
    """Return what the ribbon shows of ten to twelve sessions every one to two days, then one in two weeks."""
    start, today = date(2026, 4, 7), date(2026, 4, 24)
    prescription = Prescription(
        start,
        (
            PhaseSpec("intensive", Cadence.of(1, 1, 2), 10, 12, 12, grace_days=1),
            PhaseSpec("maintenance", Cadence.of(1, 14, 14), duration_days=60, grace_days=3, lapse_days=42),
        ),
    )
    told: dict[int, SessionStatus] = {
        0: "attended", 2: "attended", 3: "attended", 4: "no_show", 8: "attended", 13: "attended", 14: "attended",
        15: "cancelled_by_client", 16: "attended", 18: "confirmed", 20: "booked", 21: "booked", 23: "booked",
        25: "booked", 39: "booked",
    }  # fmt: skip
    sessions = [SessionRecord(start + timedelta(days=day), status) for day, status in told.items()]
    pauses = (PauseSpan(start + timedelta(days=9), start + timedelta(days=11), "bruises"),)
    calendar = ClinicCalendar([7])
    found = assess(prescription, sessions, pauses, (), calendar, 3, today=today)
    return gather_ribbon(prescription, sessions, pauses, calendar, found, today=today)


def read_styles(scheme: str) -> str:
    """Return the style sheet of ribbons with the colours of one scheme."""
    texts = [
        (ROOT / "static" / "css" / name).read_text(encoding="utf-8") for name in ("regimen.css", "ribbon.css")
    ]
    rules = [f"{names.strip()}{{{body.strip()}}}" for names, body in _RULES.findall(texts[1])]
    known = {name: value for text in texts for name, value in reversed(_COLOURS.findall(text))}
    used: dict[str, str] = {}
    wanted = ["--surface", *re.findall(r"var\((--[\w-]+)\)", "".join(rules))]
    while wanted:
        name = wanted.pop()
        if name in used or name == "--rb-mark":
            continue
        used[name] = _PAIR.sub(lambda pair: pair[1 + SCHEMES.index(scheme)], known[name])
        wanted += re.findall(r"var\((--[\w-]+)\)", used[name])
    colours = "".join(f"{name}:{value};" for name, value in sorted(used.items()))
    return f"svg{{{colours}font-family:system-ui,sans-serif}}.ground{{fill:var(--surface)}}{''.join(rules)}"


if __name__ == "__main__":
    main()
