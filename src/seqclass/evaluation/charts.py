"""Small charts as inline SVG, in the page's own colours (`currentColor` and the classes of `report.html.j2`)."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

Points = Sequence[tuple[float, float]]

_SIZE, _LEFT, _BOTTOM, _TOP = 300, 44, 40, 12


def line_chart(
    curves: Sequence[tuple[str, Points]], *, x: str, y: str, diagonal: bool = False, dots: bool = False
) -> Markup:
    """Curves over the unit square, with axes from 0 to 1.

    Args:
        curves: name and points of each; with several of them a legend is drawn.
        x: what the horizontal axis shows.
        y: likewise, the vertical axis.
        diagonal: draw the line from (0, 0) to (1, 1).
        dots: mark the points.
    """
    parts = [_axes(x, y)]
    if diagonal:
        parts.append(Markup('<path class="guide" d="M{} {}L{} {}"/>').format(*_place(0, 0), *_place(1, 1)))
    for number, (name, points) in enumerate(curves):
        places = [_place(a, b) for a, b in points]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        parts.append(Markup('<path class="curve c{}" d="M{}"/>').format(number % 6, path))
        if dots:
            parts += [
                Markup('<circle class="dot c{}" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(number % 6, *p) for p in places
            ]
        if len(curves) > 1:
            parts.append(_text(_SIZE - 8, _SIZE - _BOTTOM - 10 - 15 * number, name, "end", f"c{number % 6}"))
    return _svg(parts, f"{y} over {x}")


def bar_chart(bars: Sequence[tuple[str, float, str]], *, x: str, y: str) -> Markup:
    """Bars of heights from 0 to 1.

    Args:
        bars: for each the name below it, its height, and what is written on it.
        x: what the bars are.
        y: what their height is.
    """
    parts = [_axes(x, y, numbers=False)]
    width = 1 / max(len(bars), 1)
    for number, (name, height, note) in enumerate(bars):
        left, top = _place((number + 0.12) * width, height)
        right, bottom = _place((number + 0.88) * width, 0)
        parts.append(
            Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                left, top, right - left, bottom - top
            )
        )
        parts.append(_text((left + right) / 2, top - 4, note, "middle"))
        parts.append(_text((left + right) / 2, bottom + 14, name, "middle"))
    return _svg(parts, f"{y} by {x}")


def _place(a: float, b: float) -> tuple[float, float]:
    """Where a point of the unit square lies in the picture."""
    return _LEFT + a * (_SIZE - _LEFT - 8), _SIZE - _BOTTOM - b * (_SIZE - _BOTTOM - _TOP)


def _axes(x: str, y: str, *, numbers: bool = True) -> Markup:
    parts: list[Any] = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(
            Markup('<path class="grid" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>').format(*_place(0, tick), *_place(1, tick))
        )
        parts.append(_text(_LEFT - 5, _place(0, tick)[1] + 4, f"{tick:g}", "end"))
        if numbers:
            parts.append(_text(_place(tick, 0)[0], _SIZE - _BOTTOM + 14, f"{tick:g}", "middle"))
    middle = (_SIZE - _BOTTOM + _TOP) / 2
    parts.append(_text((_SIZE + _LEFT) / 2, _SIZE - 6, x, "middle"))
    parts.append(
        Markup('<text x="12" y="{0}" text-anchor="middle" transform="rotate(-90 12 {0})">{1}</text>').format(middle, y)
    )
    return Markup("").join(parts)


def _text(x: float, y: float, content: str, anchor: str, kind: str = "") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, content
    )


def _svg(parts: Sequence[Any], title: str) -> Markup:
    return Markup('<svg viewBox="0 0 {0} {0}" role="img" aria-label="{1}">{2}</svg>').format(
        _SIZE, title, Markup("").join(parts)
    )
