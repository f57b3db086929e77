"""An evaluation as one HTML file that needs nothing else: figures, curves as SVG, the worst pairs."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..kernel.domain import Rate
from ..kernel.i18n import _
from ..kernel.messages import fill
from ..recognition.curves import Verification
from ..recognition.images import ImageRefusal, encode_image, make_thumbnail
from ..recognition.scores import BINS
from .evaluation_figures import describe_figure, figures
from .evaluation_report import EvaluationReport, Sample, ScoredPair
from .photos import read_picture

_WIDTH, _HEIGHT, _EDGE, _MARGIN = 560, 320, 48, 24
_DECADES: Final = (1e-5, 1.0)
"""Range of both axes of the DET curve."""
_SCROLLED: Final = '<div class="wide" tabindex="0">'
"""What is wider than a phone is scrolled by itself."""
_BARS: Final = 100
_THUMBNAIL_PX: Final = 96
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{text-align:left;padding:.3rem 1rem .3rem 0;"
    "border-bottom:1px solid #ccc;vertical-align:top}svg{max-width:100%;height:auto}svg text{font:12px sans-serif}"
    ".wide{overflow-x:auto}img{display:inline-block;margin-right:.3rem}.note{color:#555}"
)


def make_page(report: EvaluationReport, *, with_photos: bool) -> str:
    """Return the page.

    Args:
        with_photos: Show the photos of the worst pairs, small; without, only their names are in the file.
    """
    title = _("Recognition measured: {source}", source=report.source or _("the enrolled gallery"))
    parts = [
        "<!DOCTYPE html>",
        '<html><head><meta charset="utf-8">',
        # Whatever a file name holds, nothing is loaded and nothing runs.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        f"<p>{escape(_facts(report))}</p>",
        _table(
            (_("Measure"), _("Value and interval (95 %)")),
            ((fill(figure.label, figure.params), describe_figure(figure)) for figure in figures(report)),
        ),
        f'<p class="note">{escape(_note())}</p>',
    ]
    verification = report.verification
    if verification is not None and verification.genuine_trials and verification.impostor_trials:
        parts += [
            f"<h2>{escape(_('DET curve'))}</h2>",
            _det_curve(verification),
            f"<h2>{escape(_('Scores of pairs'))}</h2>",
            _histograms(verification, report.threshold),
        ]
    for heading, pairs in (
        (_("Least alike photos of one person"), report.worst_genuine),
        (_("Most alike photos of two persons"), report.worst_impostor),
    ):
        if pairs:
            parts += [f"<h2>{escape(heading)}</h2>", _worst(pairs, with_photos=with_photos)]
    if report.not_found:
        parts += [f"<h2>{escape(_('Photos without a face that was found'))}</h2><ul>"]
        parts += [f"<li>{escape(photo)}</li>" for photo in report.not_found]
        parts += ["</ul>"]
    return "\n".join([*parts, "</body></html>\n"])


def _facts(report: EvaluationReport) -> str:
    return _(
        "{photos} photos of {people} people; engine {model}, detector {detector}; "
        "threshold {threshold}, margin {margin}.",
        photos=report.photos,
        people=report.people,
        model=str(report.model),
        detector=report.detector,
        threshold=f"{report.threshold:.3f}",
        margin=f"{report.margin:.3f}",
    )


def _note() -> str:
    return _(
        "Terms are those of ISO/IEC 19795-1. Each photo was compared with all others; a stranger is a photo whose "
        "person was left out. Intervals hold for independent trials; photos of the same people are not quite that."
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"{_SCROLLED}<table><tr>", *(f"<th>{escape(cell)}</th>" for cell in head), "</tr>"]
    for row in rows:
        lines += ["<tr>", *(f"<td>{escape(cell)}</td>" for cell in row), "</tr>"]
    return "".join([*lines, "</table></div>"])


def _det_curve(verification: Verification) -> str:
    """Draw what the trials show solid, and what they only bound dashed.

    A rate of which nothing was seen is drawn at the upper end of its interval, the "rule of three"; see
    :class:`smartabsen.recognition.rates.Rate`.
    """
    fmr, fnmr = verification.fmr(), verification.fnmr()
    matched, missed = fmr > 0.0, fnmr > 0.0
    least_fmr = Rate(0, verification.impostor_trials).high
    least_fnmr = Rate(0, verification.genuine_trials).high
    marks = []
    for exponent in range(round(math.log10(_DECADES[0])), 1):
        x, y = _det_place(10.0**exponent, 10.0**exponent)
        marks.append(f'<text x="{x:.0f}" y="{_HEIGHT + 16}" text-anchor="middle">1e{exponent}</text>')
        marks.append(f'<text x="{_EDGE - 6}" y="{y + 4:.0f}" text-anchor="end">1e{exponent}</text>')
        marks.append(f'<path d="M{x:.0f} 0V{_HEIGHT}M{_EDGE} {y:.0f}H{_WIDTH}" stroke="#ddd"/>')
    lines = [
        _line(fmr[matched & missed], fnmr[matched & missed]),
        _line(fmr[matched & ~missed], np.full((matched & ~missed).sum(), least_fnmr), dashed=True),
        _line(np.full((~matched & missed).sum(), least_fmr), fnmr[~matched & missed], dashed=True),
    ]
    note = _(
        "Solid: errors that were seen. Dashed: of one kind none was seen, in {genuine} pairs of one person or "
        "{impostor} of two; its rate is the one drawn at most (confidence 95 %), and may be much lower.",
        genuine=verification.genuine_trials,
        impostor=verification.impostor_trials,
    )
    drawn = _svg(_("DET curve: FNMR over FMR, both logarithmic"), [*marks, *lines], x=_("FMR"), y=_("FNMR"))
    return f'{drawn}<p class="note">{escape(note)}</p>'


def _line(fmr: NDArray[np.float64], fnmr: NDArray[np.float64], *, dashed: bool = False) -> str:
    points = [_det_place(x, y) for x, y in zip(fmr, fnmr, strict=True)]
    # Neighbours that fall on one pixel would only make the file larger.
    path = " ".join(dict.fromkeys(f"{x:.0f},{y:.0f}" for x, y in points))
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="#0b57d0" stroke-width="2"{dash}/>' if path else ""


def _det_place(fmr: float, fnmr: float) -> tuple[float, float]:
    low, high = (math.log10(end) for end in _DECADES)
    across, up = ((math.log10(max(rate, _DECADES[0])) - low) / (high - low) for rate in (fmr, fnmr))
    return _EDGE + across * (_WIDTH - _EDGE), _HEIGHT * (1.0 - up)


def _histograms(verification: Verification, threshold: float) -> str:
    bars = []
    for counts, colour in ((verification.impostor, "#b3261e"), (verification.genuine, "#146c2e")):
        heights = _bars(counts)
        for number, height in enumerate(heights):
            if height > 0:
                x, y = _score_place(-1.0 + 2.0 * number / _BARS), height * (_HEIGHT - 20)
                width = (_WIDTH - _EDGE) / _BARS
                bars.append(
                    f'<rect x="{x:.1f}" y="{_HEIGHT - y:.1f}" width="{width:.1f}" height="{y:.1f}" fill="{colour}" '
                    'fill-opacity="0.5"/>'
                )
    bars += [
        f'<text x="{_score_place(score):.0f}" y="{_HEIGHT + 16}" text-anchor="middle">{score:g}</text>'
        for score in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ]
    place = f"{_score_place(threshold):.1f}"
    bars.append(f'<path d="M{place} 0V{_HEIGHT}" stroke="#000" stroke-dasharray="4"/>')
    label = _("Scores: two persons (red), one person (green), threshold (dashed); each scaled to its highest bar")
    return _svg(label, bars, x=_("Cosine"), y="")


def _bars(counts: NDArray[np.int64]) -> list[float]:
    wide = counts.reshape(_BARS, BINS // _BARS).sum(axis=1)
    return [float(each) for each in wide / max(1, int(wide.max()))]


def _score_place(score: float) -> float:
    return _EDGE + (score + 1.0) / 2.0 * (_WIDTH - _EDGE)


def _svg(label: str, inside: Iterable[str], *, x: str, y: str) -> str:
    # Room for the labels at both ends of the axes.
    size = f'viewBox="0 -{_MARGIN} {_WIDTH + _MARGIN} {_HEIGHT + 40 + _MARGIN}" width="{_WIDTH + _MARGIN}"'
    axes = f'<path d="M{_EDGE} 0V{_HEIGHT}H{_WIDTH}" fill="none" stroke="#333"/>'
    names = (
        f'<text x="{(_WIDTH + _EDGE) // 2}" y="{_HEIGHT + 34}" text-anchor="middle">{escape(x)}</text>'
        f'<text transform="translate(11 {_HEIGHT // 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>'
    )
    title = escape(label)
    return f'<p>{title}</p><svg {size} role="img" aria-label="{title}">{"".join(inside)}{axes}{names}</svg>'


def _worst(pairs: Iterable[ScoredPair], *, with_photos: bool) -> str:
    lines = [f"{_SCROLLED}<table><tr><th>{escape(_('Cosine'))}</th><th colspan=2>{escape(_('Photos'))}</th></tr>"]
    for pair in pairs:
        cells = [f"<td>{pair.similarity:.3f}</td>"]
        for sample in (pair.first, pair.second):
            picture = _picture(sample) if with_photos else ""
            cells.append(f"<td>{picture}{escape(sample.person)}<br><small>{escape(sample.photo)}</small></td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join([*lines, "</table></div>"])


def _picture(sample: Sample) -> str:
    _data, picture = read_picture(sample.photo)
    if isinstance(picture, ImageRefusal):
        return ""
    encoded = base64.b64encode(encode_image(make_thumbnail(picture.image_bgr, _THUMBNAIL_PX), suffix=".jpg")).decode()
    return f'<img alt="" src="data:image/jpeg;base64,{encoded}">'
