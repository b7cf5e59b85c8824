"""Charts: shapes in SVG, and all that is read in HTML, so that it keeps its size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from registry.billing.trend import Stretch, place, ticks

WIDTH, HEIGHT = 1000, 240
_SPARK_WIDTH, _SPARK_HEIGHT = 84, 24  # and 3 above and below
_BAR = Fraction(7, 10)  # of its slot


@dataclass(frozen=True, slots=True)
class Shape:
    """A path of SVG, and how it looks."""

    path: str
    style: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the chart: how far down it is drawn, how far up in percent, and its text."""

    down: str
    up: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What components/chart.html draws. A slot is what one part of the width says on hovering."""

    marks: Sequence[Mark]
    shapes: Sequence[Shape]
    labels: Sequence[str]
    slots: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True)
class Spark:
    """A line without axes, and its last point."""

    path: str
    x: str
    y: str
    color: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of a stacked chart: its parts from the bottom; None: not known."""

    parts: Mapping[str, int] | None
    slot: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Line:
    """Shares from left to right, None where not known, and how their line is drawn."""

    shares: Sequence[Fraction | None]
    color: str
    dashes: str = ""


def step_chart(stretches: Iterable[Stretch], labels: Sequence[str]) -> Chart:
    """Draw shares, from 0 to 100 percent."""
    shapes = []
    for stretch in stretches:
        points = [f"{place(x * WIDTH)},{place(HEIGHT - y * HEIGHT)}" for x, y in stretch.corners]
        begin, end = place(stretch.corners[0][0] * WIDTH), place(stretch.corners[-1][0] * WIDTH)
        line = "M" + " L".join(points)
        area = f"{line} L{end},{HEIGHT} L{begin},{HEIGHT}Z"
        shapes.append(Shape(area, "fill:var(--c-1);fill-opacity:.26"))
        shapes.append(Shape(line, "fill:none;stroke:var(--c-1);stroke-width:2"))
    return Chart(_shares(), shapes, labels)


def line_chart(
    lines: Iterable[Line], labels: Sequence[str], slots: Sequence[Sequence[str]]
) -> Chart:
    """Draw shares by steps, from 0 to 100 percent, each as wide as the others, with their gaps."""
    shapes = []
    for line in lines:
        style = f"fill:none;stroke:{line.color};stroke-width:2"
        style += f";stroke-dasharray:{line.dashes}" if line.dashes else ""
        shapes += [Shape(path, style) for path in _steps(line.shares)]
    return Chart(_shares(), shapes, labels, slots)


def stacked_bars(bars: Sequence[Bar], colors: Mapping[str, str], labels: Sequence[str]) -> Chart:
    """Draw columns of parts; `colors` are in their order from the bottom."""
    most = max((sum(bar.parts.values()) for bar in bars if bar.parts), default=0)
    scale = ticks(most)
    shapes = []
    for position, bar in enumerate(bars):
        below = 0
        for name, color in colors.items():
            number = (bar.parts or {}).get(name, 0)
            if number:
                column = Fraction(position, len(bars)), Fraction(1, len(bars))
                path = _column(column, (Fraction(below, scale[-1]), Fraction(number, scale[-1])))
                shapes.append(Shape(path, f"fill:{color}"))
            below += number
    marks = [_mark(Fraction(value, scale[-1]), f"{value:,}") for value in scale]
    return Chart(marks, shapes, labels, [bar.slot for bar in bars])


def spark(values: Sequence[Decimal | Fraction | None], color: str) -> Spark | None:
    """Draw a line through what is known, between the least and the most; None for one point."""
    known = [
        (position, Fraction(value)) for position, value in enumerate(values) if value is not None
    ]
    if len(known) < 2:  # noqa: PLR2004
        return None
    least, most = min(value for _, value in known), max(value for _, value in known)
    span, slots = (most - least) or Fraction(1), len(values) - 1
    points = [
        (
            place(Fraction(position * _SPARK_WIDTH, slots)),
            place(3 + _SPARK_HEIGHT * (1 - (value - least) / span)),
        )
        for position, value in known
    ]
    return Spark("M" + " L".join(map(",".join, points)), *points[-1], color)


def _shares() -> list[Mark]:
    return [_mark(Fraction(part, 4), f"{part * 25}\u00a0%") for part in (0, 2, 4)]


def _steps(shares: Sequence[Fraction | None]) -> list[str]:
    """Return an unbroken path for each run of what is known."""
    paths: list[str] = []
    points: list[str] = []
    for position, share in enumerate([*shares, None]):
        if share is None:
            paths += [f"M{' L'.join(points)}"] if points else []
            points = []
            continue
        down = place(HEIGHT - share * HEIGHT)
        for end in (position, position + 1):
            points.append(f"{place(Fraction(end * WIDTH, len(shares)))},{down}")
    return paths


def _mark(up: Fraction, text: str) -> Mark:
    return Mark(place(HEIGHT - up * HEIGHT), place(up * 100), text)


def _column(across: tuple[Fraction, Fraction], up: tuple[Fraction, Fraction]) -> str:
    """Draw a rectangle; both are where it begins and how long it is, from 0 to 1."""
    width = across[1] * _BAR
    left = across[0] + (across[1] - width) / 2
    height = place(up[1] * HEIGHT)
    return (
        f"M{place(left * WIDTH)},{place(HEIGHT - up[0] * HEIGHT)}"
        f"v-{height}h{place(width * WIDTH)}v{height}z"
    )
