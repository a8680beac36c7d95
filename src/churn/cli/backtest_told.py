"""What `churn backtest` tells: a table that has one line a list, sentences, and the same figures for spreadsheets."""

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

_CSV = (
    "as_of", "day", "n", "churners", "base_rate", "auc", "ap", "lift10", "logloss", "brier", "ece", "precision", "lift",
    "recall", "caught", "money", "money_delivered",
)  # fmt: skip


def csv_text(found: dict[str, Any]) -> str:
    """One line a list, then the same figures of the rule."""
    head = [*_CSV, *(f"rule_{name}" for name in _CSV[5:])]
    lines = [[one[name] for name in _CSV] + [one["rule"][name] for name in _CSV[5:]] for one in found["as_ofs"]]
    return "".join(",".join(str(cell) for cell in line) + "\n" for line in [head, *lines])


def charts(found: dict[str, Any]) -> dict[str, str]:
    """SVG files by name: the AUC of every list, in English and Chinese."""
    import pyarrow as pa

    from churn.core.charts import LANGUAGES, lists_chart

    lists = found["as_ofs"]
    columns = {"as_of": [one["day"] for one in lists], "model": [one["auc"] for one in lists]}
    columns |= {name: [one[name]["auc"] for one in lists] for name in ("rule", "logistic")}
    columns |= {end: [one[f"auc_{end}"] for one in lists] for end in ("low", "high")}
    return {f"auc_{key}.svg": lists_chart(pa.table(columns), found["interval"], language=key) for key in LANGUAGES}


def show(found: dict[str, Any], document: str) -> None:
    """Print the table of lists, what it does not show, and the verdict."""
    from rich.console import Console

    plain = Console(markup=False, highlight=False, soft_wrap=True)
    console = plain if plain.is_terminal else Console(markup=False, highlight=False, width=160, soft_wrap=True)
    table = _table((*_HEADINGS, f"at stake, {found['list']['currency']}"), left=("list of",))
    for one in found["as_ofs"]:
        table.add_row(one["day"], *_cells(one, one["rule"], min(found["list"]["capacity"], one["n"])))
    whole, rule = ({**found["list"][name], **found["models"][name]["pooled"]} for name in ("model", "rule"))
    whole = whole | {"n": sum(one["n"] for one in found["as_ofs"])}
    called = sum(min(found["list"]["capacity"], one["n"]) for one in found["as_ofs"]) / len(found["as_ofs"])
    table.add_row("all lists", *_cells(whole, rule, called))
    spread = found["spread"]
    if len(found["as_ofs"]) > 1:
        table.add_row("varies by", "", f"{spread['base_rate']['std']:.1%}", f"{spread['auc']['std']:.3f}")
    console.print(table)
    for line in _sentences(found):
        console.print(line)
    for part in (_ablation(found["ablation"]), _failing(found["failing"])):
        if part.rows:
            console.print(part)
    console.print(found["verdict"]["en"])
    console.print(f"All figures are in {document}; docs/backtest.md says how to read them")


_HEADINGS = (
    "list of",
    "customers",
    "left",
    "AUC",
    "rule",
    "ECE",
    "called",
    "left of them",
    "rule",
    "times base",
)


def _table(headings: tuple[str, ...], left: tuple[str, ...]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right")
    return table


def _ablation(entries: list[dict[str, Any]]) -> "Table":
    """What each source and family is worth: with it less without it."""
    table = _table(("without", "", "columns", "AUC worth", "interval", "left of called", "at stake"), ("without", ""))
    for one in entries:
        if "why" in one:
            table.add_row(one["kind"], one["name"], f"{one['columns']:,}", "none", one["why"][:60])
            continue
        worth = one["worth"]
        table.add_row(
            one["kind"],
            one["name"],
            f"{one['columns']:,}",
            f"{worth['auc']:+.4f}",
            f"{worth['auc_low']:+.4f} to {worth['auc_high']:+.4f}",
            f"{worth['caught']:+.1f}",
            f"{worth['money_delivered']:+,.0f}",
        )
    return table


def _failing(entries: list[dict[str, Any]]) -> "Table":
    """How far scores move when a source fails."""
    headings = ("fails", "for", "scores move by", "mean score", "names kept", "AUC")
    table = _table(headings, ("fails",))
    for one in entries:
        table.add_row(
            one["source"],
            "ever" if one["days"] is None else f"{one['days']} days",
            f"{one['moved_mean']:.1%}",
            f"{one['score_mean_before']:.1%} to {one['score_mean']:.1%}",
            f"{one['names_kept']} of {one['names']}",
            f"{one['auc_before']:.3f} to {one['auc']:.3f}",
        )
    return table


def _cells(one: dict[str, Any], rule: dict[str, Any], called: float) -> list[str]:
    """One list as the cells of the table."""
    return [
        f"{one['n']:,}",
        f"{one['base_rate']:.1%}",
        f"{one['auc']:.3f}",
        f"{rule['auc']:.3f}",
        f"{one['ece']:.3f}",
        f"{called:,.0f}",
        f"{one['caught']:.0f}",
        f"{rule['caught']:.0f}",
        f"{one['lift']:.2f}",
        f"{one['money_delivered']:,.0f}",
    ]


def _sentences(found: dict[str, Any]) -> list[str]:
    """What the table does not show, each in a sentence."""
    lines = [f"{one['day']}: no list would have been made, since {one['why']}" for one in found["stopped"]]
    if len(found["as_ofs"]) + len(found["stopped"]) < found["asked"]:
        n = len(found["as_ofs"]) + len(found["stopped"])
        lines.append(f"{found['asked']} lists were asked for; the history is long enough for {n}")
    kinds = Counter(one["kind"] for one in found["as_ofs"])
    if len(kinds) > 1:
        lines.append("Kinds of model: " + ", ".join(f"{kind} on {_lists(n)}" for kind, n in sorted(kinds.items())))
    moved = found["list"]["change"]
    if moved:
        agrees = moved["rank_correlation"]
        lines.append(
            f"From list to list, {found['step_days']} days later, {moved['came']:.0f} of the "
            f"{moved['came'] + moved['kept']:,.0f} names are new; "
            f"{moved['by_eligibility']:.0%} of the changes are customers who became, or are no longer, customers to be "
            "scored" + ("" if agrees is None else f". The order of the others agrees by {agrees:.2f}")
        )
    groups = found["stability"]["groups"]
    if groups:
        worst = min(groups, key=lambda one: one["auc"])
        lines.append(
            f"Weakest group: {worst['attribute']} {worst['value']}, AUC {worst['auc']:.3f} "
            f"({worst['auc_low']:.3f} to {worst['auc_high']:.3f}), {worst['n']:,} snapshots"
        )
    lines += [_aged(one) for one in found["staleness"] if one["months"]]
    shares = found["digest"]
    if shares["customers"] < shares["of_customers"]:
        part = f"{shares['customers']:,} of {shares['of_customers']:,}"
        lines.append(f"Looked at {part} customers, with their share of the calls")
    return lines


def _aged(one: dict[str, Any]) -> str:
    """What a model of some months ago is worth, in a sentence."""
    age = f"{one['months']} month{'s' if one['months'] > 1 else ''} ({one['days']} days)"
    if not one["lists"]:
        return f"A model {age} older than its list: the history is too short for one"
    lost, money = one["difference"], one["difference"]["money_delivered"]
    on = _lists(len(one["lists"]))
    between = f"{lost['auc_low']:+.3f} to {lost['auc_high']:+.3f}"
    return (
        f"A model {age} older, on {on}: AUC {one['auc']:.3f}, {lost['auc']:+.3f} against a fresh "
        f"one ({between}); ECE {one['ece']:.3f} against {one['fresh']['ece']:.3f}; at stake {money:+,.0f} a list"
    )


def _lists(n: int) -> str:
    return "1 list" if n == 1 else f"{n} lists"
