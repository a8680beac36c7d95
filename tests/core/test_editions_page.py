"""The page: what a browser would show, and what it must never do."""

import re
import shutil
import struct
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from churn.core.amounts import count, money
from churn.core.editions.page import HEAD_ROWS, page
from churn.core.editions.summary import summary
from tests.core.list_world import DATASET, DEFINITION, DIGESTS, EVALUATION, FIGURES, RECONCILIATION, listed

EVIL = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SAID = """
007 | leaving | 1 | No basket for 41 days; usually every 6 days
007 | leaving | 2 | Ben & Jerry's <b>bold</b>
007 | staying | 1 | A customer for 520 days
"""
NO_TAG_TO_CLOSE = {"meta", "input", "img", "link", "br", "hr"}


def built(table=None, **changes):
    table = listed({"007": 0.5, EVIL: 0.25, "x\x00y": 0.125}, said=SAID) if table is None else table
    about = summary(table, dataset=DATASET, definition=DEFINITION, order=changes.get("evaluation", EVALUATION)["list"])
    rest = {"evaluation": EVALUATION, "figures": FIGURES, "reconciliation": RECONCILIATION, "digests": DIGESTS}
    return page(table, about, **{**rest, **changes})


class Tags(HTMLParser):
    """Every start tag with its attributes, and the visible texts a language; fails on tags that do not match."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.texts = [], [], {"en": [], "zh-Hans": [], None: []}
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in NO_TAG_TO_CLOSE:
            self.open.append((tag, dict(attrs).get("lang")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        # The language of the document itself is not looked at: a text must say which one it is.
        spoken = [lang for tag, lang in self.open if lang and tag != "html"]
        self.texts.setdefault(spoken[-1] if spoken else None, []).append(data)


def test_a_list_that_is_not_in_the_order_of_the_model_says_so_before_its_first_row():
    said = {"order": "value", "en": "Nothing tells who will leave.", "zh": "无法预示谁会流失。"}
    html = built(evaluation=EVALUATION | {"list": said})
    assert html.index("Nothing tells who will leave.") < html.index("Whom to call first")
    texts = Tags(html).texts
    assert "无法预示谁会流失。" in texts["zh-Hans"]
    assert "customers, the most valuable first" in " ".join(texts["en"])
    assert 'id="notice"' not in built()


def test_the_page_tells_the_same_story_in_both_languages():
    texts = Tags(built()).texts
    en, zh = " ".join(texts["en"]), " ".join(texts["zh-Hans"])
    assert "leaving means no basket in the 28 days after it" in en
    assert "其后 28 天内没有购物即视为流失" in zh
    assert "No basket for 41 days; usually every 6 days" in en
    assert "中No basket for 41 days; usually every 6 days" in zh
    assert "Better than the rule." in en
    assert "优于规则。" in zh
    assert len(texts["en"]) == len(texts["zh-Hans"])


def test_no_chinese_stands_where_english_is_announced():
    assert not re.search(r"[\u4e00-\u9fff]", " ".join(Tags(built()).texts["en"]))


def test_names_and_sentences_cannot_become_tags():
    html = built()
    tags = Tags(html).tags
    assert "script" not in {tag for tag, _ in tags}
    assert "b" in {tag for tag, _ in tags}
    assert "&lt;script&gt;document.title=" in html
    assert "Ben &amp; Jerry&#39;s &lt;b&gt;bold&lt;/b&gt;" in html
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert "\x00" not in html


def test_hostile_words_of_a_report_are_escaped_as_well():
    evaluation = {**EVALUATION, "verdict": {**EVALUATION["verdict"], "en": EVIL, "zh": EVIL}}
    reconciliation = {**RECONCILIATION, "sources": {EVIL: RECONCILIATION["sources"]["plans"]}, "warnings": [EVIL]}
    figures = {**FIGURES, "lift.svg": f'<svg onload="alert(1)">"><script>{EVIL}</script></svg>'}
    html = built(evaluation=evaluation, reconciliation=reconciliation, figures=figures, digests={EVIL: EVIL})
    assert "script" not in {tag for tag, _ in Tags(html).tags}
    assert "<script" not in html


def test_nothing_is_loaded_from_anywhere():
    for tag, attributes in Tags(built()).tags:
        assert tag not in {"link", "iframe", "object", "embed", "form", "base", "audio", "video"}
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            beside = attributes.get(name) == "model_card.html"  # a file of the same delivery
            assert beside or attributes.get(name, "#").startswith(("#", "data:image/svg+xml")), (tag, name)
    style = built().split("<style>")[1].split("</style>")[0]
    assert not re.search(r"url\(|@import|https?:", style)


def test_the_browser_is_told_to_load_nothing():
    policy = [a["content"] for tag, a in Tags(built()).tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == [
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    ]


def test_links_inside_the_page_arrive():
    tags = Tags(built()).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"].removeprefix("#") for tag, a in tags if tag == "a"} <= {*ids, "model_card.html"}
    assert {a["for"] for tag, a in tags if tag == "label"} == {"language-en", "language-zh"} <= set(ids)


def test_every_picture_has_a_word_and_every_column_a_heading():
    tags = Tags(built()).tags
    assert all(a["alt"] for tag, a in tags if tag == "img")
    assert all(a.get("scope") in {"col", "row"} for tag, a in tags if tag == "th")
    assert [a["lang"] for tag, a in tags if tag == "html"] == ["en"]


def test_the_column_of_customers_has_room_for_the_longest_id():
    """An id in two lines is read wrongly; one that is very long breaks all the same."""
    html = built(listed({"0001044": 0.5, "12345678901": 0.25}))
    assert 'style="--id:11ch"' in html
    assert re.search(r"\.customer {[^}]*min-width: min\(14rem, [^}]*var\(--id\)", html)


def test_paper_is_no_phone():
    """A sheet is narrower than most screens: rules for small ones made every chart a page of its own."""
    html = built()
    assert "@media screen and (max-width" in html
    assert "@media (max-width" not in html


def test_only_the_head_of_a_long_list_is_shown():
    table = listed({f"{n:03}": (n + 1) / 500 for n in range(HEAD_ROWS + 30)})
    html = built(table)
    assert html.count("<bdi>") == HEAD_ROWS
    assert f"The first {HEAD_ROWS} of {HEAD_ROWS + 30} customers" in html
    at_risk = sum(table["value_at_risk"].to_pylist()[:HEAD_ROWS])
    assert money(at_risk, "USD", 0) in html


def test_a_metric_that_could_not_be_computed_is_a_dash():
    assert "– – 0.030" in built()  # the low end of the calibration error of the logistic regression


def test_the_rule_is_told_in_words_and_not_by_the_name_of_its_feature():
    texts = Tags(built()).texts
    assert "days since the last basket" in texts["en"]
    assert "距上次购物的天数" in texts["zh-Hans"]
    assert "days_since_purchase" not in built()


def test_every_row_that_was_read_is_accounted_for():
    html = " ".join(built().split())
    row = html.split('<th scope="row">baskets</th>')[1].split("</tr>")[0]
    numbers = re.findall(r'<td class="n">([\d,]+)', row)
    assert numbers == [count(n) for n in (120, 110, 3, 2, 5, 40)]
    assert "source baskets: 2 of 120 rows break the data contract" in html


def test_rows_in_quarantine_are_explained_in_words_and_the_code_stays_at_hand():
    """A retention team reads why rows were left out; who looks them up in quarantine needs the code."""
    bad = {"customer_id_blank": 2, "left_out_test_accounts": 1200, "amount_of_tomorrow": 1}
    sources = {"baskets": {**RECONCILIATION["sources"]["baskets"], "quarantined": bad}}
    html = built(reconciliation={**RECONCILIATION, "sources": sources})
    texts = Tags(html).texts
    assert {"no customer id: 2", "left out as declared: test accounts: 1,200", "amount_of_tomorrow: 1"} <= {
        *texts["en"]
    }
    assert {"缺少客户编号：2", "按声明排除：test accounts：1,200"} <= {*texts["zh-Hans"]}
    assert not any("customer_id_blank" in text for spoken in texts.values() for text in spoken)
    assert {"title": "customer_id_blank", "class": "small reason"} in [attributes for _, attributes in Tags(html).tags]


def test_a_list_without_any_money_at_risk_is_shown():
    html = built(listed({"a": 0.5, "b": 0.1}, a_day={"a": None, "b": None}))
    assert "0.0% of the value at risk" in html


def test_a_report_without_figures_makes_a_page_without_pictures():
    assert "img" not in {tag for tag, _ in Tags(built(figures={})).tags}


def test_two_builds_are_the_same_text():
    assert built() == built()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; apt-get install chromium brings one")
def test_a_browser_shows_it_without_complaint_at_every_width(tmp_path):
    html = built()
    (tmp_path / "en.html").write_text(html, encoding="utf-8")
    chosen = html.replace(" checked>", ">").replace('aria-label="中文">', 'aria-label="中文" checked>')
    (tmp_path / "zh.html").write_text(chosen, encoding="utf-8")
    shots = {}
    for name, width in (("en", 1280), ("en", 500), ("zh", 1280)):
        picture = tmp_path / f"{name}{width}.png"
        said = chromium(tmp_path / f"{name}.html", tmp_path, f"--window-size={width},900", f"--screenshot={picture}")
        assert "Refused" not in said, said
        assert "CONSOLE" not in said, said
        shots[name, width] = picture.read_bytes()
        assert struct.unpack(">II", shots[name, width][16:24]) == (width, 900)
    assert shots["en", 1280] != shots["zh", 1280]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; apt-get install chromium brings one")
def test_a_browser_runs_nothing_that_a_name_says(tmp_path):
    (tmp_path / "index.html").write_text(built(), encoding="utf-8")
    dom = chromium(tmp_path / "index.html", tmp_path, "--dump-dom")
    assert "<title>Customers at risk of leaving" in dom
    assert "&lt;script&gt;" in dom


def chromium(html: Path, folder: Path, *flags: str) -> str:
    """What Chromium prints, console messages included."""
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    quiet += [
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'user'}",
    ]
    done = subprocess.run([CHROMIUM, *quiet, *flags, html.as_uri()], capture_output=True, timeout=120, check=True)
    return (done.stdout + done.stderr).decode(errors="replace")
