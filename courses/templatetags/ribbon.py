"""The course ribbon in templates: large on a course's page, thin in lists."""

from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from courses.core.ribbon import MarkKind, RibbonFacts, draw_chart, draw_strip
from courses.ribbon_svg import chart_svg, legend_svg, strip_svg
from courses.ribbon_words import TranslatedWords, facts_in_words, summary_of

register = template.Library()

# The page shows the widest that fits where it stands, so that its letters keep their size.
CHART_WIDTHS: Final = {"wide": 1040, "middle": 680, "narrow": 340}


@register.simple_tag
def ribbon_large(
    facts: RibbonFacts, name: str = "ribbon", *, sizes: str = "wide middle narrow"
) -> SafeString:
    """Return the large ribbon of a course with its legend and the same in words.

    `sizes` are the widths to have at hand; a page for telephones needs but one of them.
    """
    words = TranslatedWords(facts.today)
    summary = summary_of(facts)
    charts = format_html_join(
        "",
        '<div class="ribbon-{}">{}</div>',
        (
            (
                size,
                chart_svg(
                    draw_chart(facts, words, width=width),
                    name=f"{name}-{size}",
                    title=_("How the course goes"),
                    description=summary,
                ),
            )
            for size, width in CHART_WIDTHS.items()
            if size in sizes.split()
        ),
    )
    lines = format_html_join("", "<li>{}</li>", ((line,) for line in facts_in_words(facts)))
    return format_html(
        '<figure class="course-ribbon">{}<figcaption>{}<div class="visually-hidden"><p>{}</p><ul>{}</ul></div>'
        "</figcaption></figure>",
        charts,
        legend_svg(_legend(facts)),
        summary,
        lines,
    )


@register.simple_tag
def ribbon_strip(facts: RibbonFacts) -> SafeString:
    """Return the thin ribbon of a course, with its summary as its name."""
    return strip_svg(draw_strip(facts), title=summary_of(facts))


def _legend(facts: RibbonFacts) -> list[tuple[MarkKind, str]]:
    """Return the kinds of marks that the ribbon shows, named."""
    names: dict[MarkKind, str] = {
        "on_time": _("on time"),
        "early": _("early"),
        "late": _("late"),
        "extra": _("extra"),
        "no_show": _("did not come"),
        "cancelled_late": _("cancelled late"),
        "cancelled_by_client": _("cancelled by the client"),
        "cancelled_by_clinic": _("cancelled by the clinic"),
        "unrecorded": _("not recorded"),
        "booked": _("booked"),
        "booked_early": _("booked too early"),
        "booked_late": _("booked late"),
        "misbooked": _("booked wrongly"),
        "planned": _("planned"),
    }
    shown = {mark.kind for mark in facts.marks}
    return [(kind, name) for kind, name in names.items() if kind in shown]
