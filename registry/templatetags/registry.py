"""Template tags of the interface."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide as draw

from registry.billing import price, trend
from registry.billing.codes import label
from registry.billing.witness import in_hours

register = template.Library()

VERDICTS = {
    "ok": ("ok", "circle-check", "Verified"),
    "lost": ("bad", "unlink", "Code lost"),
    "partial": ("bad", "circle-minus", "Code incomplete"),
    "unexpected": ("warn", "circle-plus", "Extra charge"),
    "wrong": ("bad", "circle-x", "Wrong code"),
    "excused": ("mute", "shield-check", "Excused"),
    "unknown": ("mute", "circle-dashed", "No evidence"),
    "": ("mute", "circle-dashed", "Not judged yet"),
}
RUN_STATES = {
    "queued": ("mute", "circle-dashed"),
    "running": ("info", "loader-circle"),
    "waiting": ("info", "loader-circle"),
    "held": ("warn", "clock"),
    "succeeded": ("ok", "circle-check"),
    "failed": ("bad", "circle-x"),
}
TONES = {"lost": "bad", "partial": "bad", "wrong": "bad", "unexpected": "warn"}
# No input is in these.
_BARS = mark_safe("<i></i><i></i><i></i><i></i>")
_NOT_RECORDED = mark_safe('<span class="stamp stamp--none">not recorded</span>')
_EMPTY = mark_safe('<span class="stamp stamp--none">empty</span>')
_UNKNOWN = mark_safe('<span class="dim">Unknown</span>')
_NEVER = mark_safe('<span class="dim">Never</span>')
# What sets the direction of text, by itself and until it is taken back.
_TURNS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@lru_cache(maxsize=512)
def _drawn(name: str, size: int, css: str) -> SafeString:
    attributes = {"class": css} if css else {}
    width = "2" if size < 20 else "1.75"  # noqa: PLR2004
    svg = draw(
        name, size=size, stroke_width=width, aria_hidden="true", focusable="false", **attributes
    )
    return mark_safe(svg)  # noqa: S308  # the icon package's own drawing


@register.simple_tag
def icon(name: str, size: int = 16, css: str = "") -> SafeString:
    """Draw a decorative icon; its meaning always stands in text beside it."""
    return _drawn(name, size, css)


@register.simple_tag
def stamp(code: str | None, tone: str = "") -> SafeString:
    """Show a billing code whole; what follows the colon carries the meaning."""
    css = f"stamp stamp--{tone}" if tone else "stamp"
    if code is None:
        return _NOT_RECORDED
    if not code:
        return _EMPTY
    head, colon, tail = code.partition(":")
    if not colon:
        return format_html('<span class="{}"><b>{}</b></span>', css, head)
    return format_html('<span class="{}">{}:<b>{}</b></span>', css, head, tail)


@register.simple_tag
def status(tone: str, name: str, text: str) -> SafeString:
    spin = "spin" if name == "loader-circle" else ""
    drawn = _drawn(name, 15, spin)
    return format_html('<span class="status status--{}">{}{}</span>', tone, drawn, text)


@register.simple_tag
def verdict(key: str, code: str | None = "RunInstances") -> SafeString:
    """Show a verdict; a lost code whose field AWS left empty has a word of its own."""
    tone, name, text = VERDICTS[key]
    if key == "lost" and not code:
        name, text = "circle-slash", "Platform empty"
    return status(tone, name, text)


PREDICTIONS = {
    "kept": ("ok", "circle-check", "Probably right"),
    "lost": ("bad", "unlink", "Probably wrong"),
    "unknown": ("mute", "circle-dashed", "Unknown"),
}


@register.simple_tag
def prediction(found: dict[str, object]) -> SafeString:
    """Show what was predicted for a registration; nothing was, for those of earlier versions."""
    outcome = str(found.get("outcome", "unknown"))
    return status(*PREDICTIONS[outcome])


@register.simple_tag
def run_state(run: object) -> SafeString:
    state = str(getattr(run, "state", ""))
    tone, name = RUN_STATES[state]
    registration = getattr(run, "registration", None)
    if registration is not None and registration.verdict in TONES:
        return status("bad", "triangle-alert", "Mismatch")
    if registration is not None and registration.verdict == "ok":
        return status("ok", "circle-check", "Verified")
    failed = getattr(run, "result", {}).get("items", {}).get("failed", 0)
    if state == "succeeded" and failed:
        return status("warn", "triangle-alert", f"{failed} failed")
    return status(tone, name, run.get_state_display())  # type: ignore[attr-defined]


@register.simple_tag
def sev(level: str, with_label: bool = True) -> SafeString:
    text = level.capitalize()
    bars = format_html('<span class="sev__bars" aria-hidden="true">{}</span>', _BARS)
    if with_label:
        return format_html('<span class="sev sev--{}">{}{}</span>', level, bars, text)
    hidden = format_html('<span class="vh">{}</span>', text)
    return format_html('<span class="sev sev--{}">{}{}</span>', level, bars, hidden)


@register.simple_tag
def copyid(value: str, always: bool = False) -> SafeString:
    """Show an id that can be copied."""
    return format_html(
        '<span class="copy{}"><code>{}</code><button type="button" data-copy="{}" '
        'aria-label="Copy {}">{}</button></span>',
        " copy--always" if always else "",
        value,
        value,
        value,
        _drawn("copy", 14, ""),
    )


@register.simple_tag
def util(used: Fraction | None, count: int, target: int = 90) -> SafeString:
    """Show which part of a purchase is used, against the target."""
    if used is None or not count:
        return _UNKNOWN
    share = int(used * 100 / count)
    tone = "var(--c-crit)" if share < 40 else "var(--c-high)" if share < target else "var(--c-1)"  # noqa: PLR2004
    return format_html(
        '<span class="util"><span class="bar bar--target" aria-hidden="true" '
        'style="--v:{}%;--t:{}%;--c:{}"><i></i></span>{}\u00a0%</span>',
        share,
        target,
        tone,
        trend.percent(used / count),
    )


@register.filter
def tone(key: str) -> str:
    return TONES.get(key, "")


@register.filter
def platform(code: str | None) -> str:
    """Return the platform that a billing code stands for, in words."""
    return label(code)


@register.filter
def straight(sentence: str) -> str:
    """Take out of a sentence the marks with which a name in it would turn the rest around."""
    return sentence.translate(_TURNS)


@register.filter
def units(value: Fraction | None) -> str:
    return "Unknown" if value is None else f"{float(value):g}"


@register.filter
def billed_hours(number: Decimal | Fraction | None) -> str:
    """Return hours of a bill to a tenth: "744 h"; "Unknown" where they are not known."""
    return "Unknown" if number is None else in_hours(number)


@register.filter
def percent(share: Fraction | None) -> str:
    """Return a share in whole percent; "None" where there is nothing to have a share of."""
    return "None" if share is None else f"{trend.percent(share)}\u00a0%"


@register.filter
def hours(amount: Fraction) -> str:
    """Return hours in whole ones."""
    return f"{round(amount):,}"


@register.filter
def dollars(amount: Decimal | None) -> str:
    """Return an amount in whole dollars; "Unknown" where it is not known."""
    if amount is None:
        return "Unknown"
    sign = "\u2212" if round(amount) < 0 else ""
    return f"{sign}${abs(amount):,.0f}"


@register.filter
def monthly(hourly: Decimal | None) -> str:
    """Return an hourly amount for a month of 730 hours, in whole dollars."""
    return dollars(price.monthly(hourly))


@register.filter
def per_hour(amount: Decimal | None, currency: str = "USD") -> str:
    """Return a price of an hour to a hundredth of a cent: "$0.0960", "CNY 0.6100"."""
    if amount is None:
        return "Unknown"
    sign = "$" if currency == "USD" else f"{currency} "
    return f"{sign}{amount:,.4f}"


@register.filter
def monthly_change(hourly: Decimal | None) -> str:
    """Return by how much an hourly amount changed, for a month, with its sign: "+$918"."""
    month = price.monthly(hourly)
    whole = None if month is None else round(month)
    if not whole:
        return dollars(month)
    sign = "+" if whole > 0 else "\u2212"
    return f"{sign}${abs(whole):,}"


@register.filter
def as_json(value: object) -> str:
    """Return an answer of AWS as it can be read; the page escapes it."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


@register.filter
def age(at: datetime | None) -> str:
    """Return how long ago something was: "3 min", "2 h", "26 d"."""
    if at is None:
        return "Never"
    past = max(timezone.now() - at, timedelta())
    if past < MINUTE:
        return "now"
    if past < HOUR:
        return f"{past // MINUTE} min"
    return f"{past // HOUR} h" if past < 2 * DAY else f"{past // DAY} d"


@register.filter
def ago(at: datetime | None) -> str:
    """Return how long ago something was, as part of a sentence: "3 min ago", "just now"."""
    if at is None:
        return "never"
    past = age(at)
    return "just now" if past == "now" else f"{past} ago"


@register.filter
def span(length: timedelta) -> str:
    """Return a length of time in its largest whole unit: "5 minutes", "1 day"."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if length >= unit and not length % unit:
            number = length // unit
            return f"{number} {name}{'s' if number > 1 else ''}"
    return f"{length.total_seconds():g} seconds"


@register.filter
def took(run: object) -> str:
    """Return how long a run has taken, so far or in all."""
    begun, over = getattr(run, "started_at", None), getattr(run, "finished_at", None)
    if begun is None:
        return ""
    seconds = int(((over or timezone.now()) - begun).total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004


@register.simple_tag
def when(at: datetime | None) -> SafeString:
    """Show a time with its full value for machines and on hovering."""
    if at is None:
        return _NEVER
    iso = at.strftime("%Y-%m-%dT%H:%MZ")
    text = at.strftime("%-d %b %Y, %H:%M")
    return format_html('<time datetime="{}" title="{}">{}</time>', iso, iso, text)
