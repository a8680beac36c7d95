"""Charts as SVG text: the same table gives the same bytes, text stays text, and nothing is loaded from anywhere.

Colours are those of Okabe and Ito (2008), which colour-blind people can tell apart; lines differ in their
dashes as well, so a chart survives a black-and-white printer.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from churn.core.charts.words import GROUPS_ZH, WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LANGUAGES = ("en", "zh")

FONTS = "system-ui, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
"""Text stays text, so the reader's browser brings the letters, Chinese ones included."""

SIZE = (5.2, 3.5)
"""Inches of one chart; two stand side by side on the page."""

DOTS_PER_INCH = 120
"""Of the one picture inside a chart, the dots of the summary; more is finer than the page shows it."""

LABEL_ROOM = 40
"""Letters of a line of the names of features: half of the chart stays for the dots."""

STYLES: dict[str, dict[str, Any]] = {
    "model": {"color": "#0072B2", "linewidth": 2.2, "linestyle": "-"},
    "logistic": {"color": "#009E73", "linewidth": 1.5, "linestyle": (0, (5, 2))},
    "rule": {"color": "#D55E00", "linewidth": 1.5, "linestyle": (0, (1.5, 1.5))},
}
CHANCE: dict[str, Any] = {"color": "#8A8A8A", "linewidth": 1.0, "linestyle": (0, (4, 3))}
INK, GRID, NULL = "#333333", "#E6E6E6", "#B8B8B8"
LOW, MIDDLE, HIGH = "#0072B2", "#B9A9C9", "#D55E00"


def lift_chart(curve: pa.Table, *, language: str) -> str:
    """Lift against the share contacted; one line per model. `curve` is the curve `lift`."""
    words = WORDS[language]
    with _drawing(SIZE) as (axes, svg):
        axes.axhline(1, **CHANCE, label=words["chance"])
        _lines(axes, curve, "share", words)
        axes.set(xlabel=words["contacted"], ylabel=words["lift"], xlim=(0, 100), ylim=(0, None))
        _legend(axes, "upper right")
    return svg.getvalue()


def gain_chart(curve: pa.Table, *, language: str) -> str:
    """Share of the churners found against the share contacted; one line per model. `curve` is the curve `gain`."""
    words = WORDS[language]
    with _drawing(SIZE) as (axes, svg):
        axes.plot([0, 100], [0, 100], **CHANCE, label=words["chance"])
        _lines(axes, curve, "share", words, scale=100)
        axes.set(xlabel=words["contacted"], ylabel=words["gain"], xlim=(0, 100), ylim=(0, 102))
        _legend(axes, "lower right")
    return svg.getvalue()


def precision_recall_chart(curve: pa.Table, base_rate: float, *, language: str) -> str:
    """Precision against recall; one line per model. `curve` is the curve `precision_recall`."""
    words = WORDS[language]
    with _drawing(SIZE) as (axes, svg):
        axes.axhline(100 * base_rate, **CHANCE, label=words["chance"])
        _lines(axes, curve, "recall", words, scale=100)
        axes.set(xlabel=words["recall"], ylabel=words["precision"], xlim=(0, 100), ylim=(0, 102))
        _legend(axes, "upper right")
    return svg.getvalue()


def reliability_chart(curve: pa.Table, interval: float, *, language: str) -> str:
    """Observed against predicted share of churners, with intervals. `curve` is the curve `reliability`."""
    words = WORDS[language]
    score, share, low, high = (curve[name].to_numpy() for name in ("score", "churned_share", "low", "high"))
    # Square axes would leave half of the chart empty where few churn; both still have the same unit and start at 0.
    most = 1.08 * max(score.max(), high.max())
    with _drawing(SIZE) as (axes, svg):
        axes.plot([0, most], [0, most], **CHANCE, label=words["ideal"])
        axes.errorbar(
            score,
            share,
            yerr=np.vstack([share - low, high - share]),
            fmt="o",
            color=STYLES["model"]["color"],
            ecolor="#7FB3D6",
            elinewidth=1.6,
            markersize=4.5,
            label=words["interval"].format(percent=100 * interval),
        )
        axes.set(
            xlabel=words["score"], ylabel=words["observed"], xlim=(0, min(1.0, 1.08 * score.max())), ylim=(0, most)
        )
        axes.legend(loc="upper left")
    return svg.getvalue()


def influence_chart(
    values: np.ndarray, contributions: np.ndarray, labels: Sequence[str], *, seed: int, language: str
) -> str:
    """Each row's contributions of the given features as dots, coloured by the value of the feature: SHAP's summary.

    Drawn here and not by `shap.summary_plot`, which scatters dots with numpy's global random state.

    Parameters
    ----------
    values, contributions : np.ndarray
        Feature values (NaN is null) and contributions in log-odds, shape `(n_rows, n_features)`, weightiest first.
    labels : sequence of str
        What to call each feature.
    """
    words = WORDS[language]
    n = len(labels)
    generator = np.random.default_rng(seed)
    with _drawing((8.0, 1.3 + 0.34 * n)) as (axes, svg):
        axes.axvline(0, color=NULL, linewidth=0.8)
        for j in range(n):
            height = n - 1 - j + _spread(contributions[:, j], generator)
            colours = _colours(values[:, j])
            # Ten thousand dots as vectors would be a megabyte; as one picture they are some 150 KB.
            axes.scatter(contributions[:, j], height, c=colours, s=5, linewidths=0, rasterized=True)
        axes.set(xlabel=words["contribution"], ylim=(-0.6, n - 0.4))
        axes.set_yticks(range(n), [_in_lines(label) for label in reversed(labels)])
        axes.grid(visible=False, axis="x")
        _value_legend(axes, words)
    return svg.getvalue()


def groups_chart(means: Sequence[float], groups: Sequence[str], *, language: str) -> str:
    """Mean absolute contribution of each group of features as bars, the weightiest on top."""
    words = WORDS[language]
    labels = [GROUPS_ZH[group] if language == "zh" else group.replace("_", " ") for group in groups]
    with _drawing((5.2, 0.7 + 0.24 * len(labels))) as (axes, svg):
        axes.barh(range(len(labels)), list(reversed(means)), color=STYLES["model"]["color"], height=0.62)
        axes.set_yticks(range(len(labels)), list(reversed(labels)))
        axes.set(xlabel=words["mean"], xlim=(0, None))
        axes.grid(visible=False, axis="y")
    return svg.getvalue()


def returns_chart(curve: pa.Table, *, language: str) -> str:
    """Probability of a return against the days of silence; one line for each number of days to come back within.

    `curve` has silent_days, and back_30, back_90 and so on: shares between 0 and 1, null where too few were silent.
    """
    words = WORDS[language]
    columns = [name for name in curve.column_names if name.startswith("back_")]
    with _drawing(SIZE) as (axes, svg):
        for name, style in zip(columns, STYLES.values(), strict=False):
            days = name.removeprefix("back_")
            share = curve[name].to_numpy(zero_copy_only=False).astype(np.float64)
            axes.plot(curve["silent_days"].to_numpy(), 100 * share, **style, label=words["within"].format(days=days))
        axes.set(xlabel=words["silence"], ylabel=words["return"], xlim=(0, None), ylim=(0, 102))
        axes.legend(loc="upper right")
    return svg.getvalue()


def lists_chart(rows: pa.Table, interval: float, *, language: str) -> str:
    """AUC of each list of a backtest; one line per model, and the model's interval as a band.

    `rows` has one row a list: `as_of` as a date in text, one column per model, and `low` and `high` of the first.
    The lines may be anywhere, so the legend stands above them.
    """
    words, shown = WORDS[language], rows.to_pydict()
    places = np.arange(rows.num_rows)
    with _drawing(SIZE) as (axes, svg):
        band = {"color": STYLES["model"]["color"], "alpha": 0.15, "linewidth": 0}
        for name, style in STYLES.items():
            axes.plot(places, shown[name], **style, marker="o", markersize=3, label=words[name])
        said = words["band"].format(percent=100 * interval)
        axes.fill_between(places, shown["low"], shown["high"], **band, label=said)
        axes.set(xlabel=words["list_of"], ylabel=words["auc"])
        axes.set_xticks(places, shown["as_of"], rotation=45, ha="right", fontsize=7)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return svg.getvalue()


@contextmanager
def _drawing(size: tuple[float, float]) -> Iterator[tuple["Axes", io.StringIO]]:
    """Axes to draw on and the text that holds the SVG afterwards. Neither pyplot nor any global state is touched."""
    import warnings

    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    svg, drawn = io.StringIO(), io.StringIO()
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        # The letters are the browser's business; matplotlib only measures them, and warns that it lacks Chinese ones.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        yield axes, svg
        figure.savefig(drawn, format="svg", dpi=DOTS_PER_INCH, transparent=True, metadata=_NO_METADATA)
    svg.write(_plain(drawn.getvalue()))


_LOOK: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "churn",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "path.simplify": True,
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
"""A date would change the bytes of every run, the creator those of every matplotlib version."""


def _plain(svg: str) -> str:
    """The SVG as it can stand inside a page: from its tag on, at the width of its place, in the reader's fonts."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"(font(?:-family)?:[^;\"]*?)(?:'DejaVu Sans'|DejaVu Sans)[^;\"]*", lambda m: m[1] + FONTS, svg)
    return re.sub(
        r'(<svg[^>]*?) width="[\d.]+pt" height="[\d.]+pt"|(<svg[^>]*?)height="[\d.]+pt"', r"\1\2", svg, count=1
    )


def _lines(axes: "Axes", curve: pa.Table, x: str, words: dict[str, str], scale: float = 1.0) -> None:
    """One line per model, the product's own last, so that it lies on top."""
    for name in ("rule", "logistic", "model"):
        axes.plot(100 * curve[x].to_numpy(), scale * curve[name].to_numpy(), **STYLES[name], label=words[name])


def _legend(axes: "Axes", place: Literal["upper right", "lower right"]) -> None:
    """The legend, the model first."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc=place)


def _spread(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """How far each dot moves from the middle of its line, within ±0.4: as far as its neighbourhood is crowded."""
    width = np.ptp(x) or 1.0
    place = np.minimum(((x - x.min()) / width * 60).astype(np.int64), 59)
    crowd = np.bincount(place, minlength=60)
    return (generator.random(len(x)) - 0.5) * 0.8 * np.sqrt(crowd[place] / crowd.max())


def _colours(values: np.ndarray) -> np.ndarray:
    """Colour of each value by its rank, ties alike; grey for null. Shape `(n_rows, 4)`."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    known = ~np.isnan(values)
    colours = np.tile(to_rgba(NULL), (len(values), 1))
    if known.any():
        _, place, count = np.unique(values[known], return_inverse=True, return_counts=True)
        middle = (np.cumsum(count) - count / 2) / known.sum()
        colours[known] = LinearSegmentedColormap.from_list("value", [LOW, MIDDLE, HIGH])(middle[place])
    return colours


def _value_legend(axes: "Axes", words: dict[str, str]) -> None:
    """The meaning of the colours, above the dots: they may be anywhere."""
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker="o", linestyle="", color=c, markersize=5) for c in (LOW, HIGH, NULL)]
    axes.legend(
        marks,
        [words["low"], words["high"], words["null"]],
        title=words["value"],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=3,
        alignment="left",
    )


def _in_lines(label: str) -> str:
    """The label in lines of at most `LABEL_ROOM` letters, whole, since its end says what it is compared with.

    A Chinese letter takes the room of two, and a line may break before it.
    """
    lines, room = [""], LABEL_ROOM
    for piece in re.findall(r"[^\s\u2e80-\uffff]+\s*|[\u2e80-\uffff]\s*", label):
        takes = sum(2 if ord(letter) > 0x2E80 else 1 for letter in piece.rstrip())
        if takes > room and lines[-1]:
            lines.append("")
            room = LABEL_ROOM
        lines[-1] += piece
        room -= takes + len(piece) - len(piece.rstrip())
    return "\n".join(line.rstrip() for line in lines)
