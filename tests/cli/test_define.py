"""`churn define` as a person uses it, on the demo world."""

import json

import pytest

from tests.pipelines.project import CHURN, demo_project, done


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that looks at the demo world, in which nothing was made yet."""
    return demo_project(tmp_path_factory.mktemp("define"), tracked=False)


def test_definitions_are_compared_without_anything_made_before(project):
    told = done(project, *CHURN, "define", "--json", "--horizon", "28")
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    assert json.loads((project / "reports/definitions.json").read_text()) == document
    names = [one["name"] for one in document["trials"]]
    assert {"contract 28 d", "inactivity 28 d", "collapse 56 d", "collapse 28 d", "cadence 56 d"} <= set(names)
    assert "presence" in document["left_out"]["disappeared"]
    contract = next(one for one in document["trials"] if one["name"] == "contract 28 d")
    assert contract["churners"] > 0
    assert document["advice"]["name"] in [*names, None]
    for language, words in {"en": "Days of silence so far", "zh": "已沉默天数"}.items():
        assert words in (project / f"reports/definitions/returns_{language}.svg").read_text()


def test_a_definition_that_does_not_exist_is_named_with_its_nearest(project):
    told = done(project, *CHURN, "define", "inactivty")
    assert told.returncode == 3
    assert "did you mean inactivity?" in told.stderr


def test_a_definition_that_the_data_cannot_answer_says_why(project):
    told = done(project, *CHURN, "define", "disappeared")
    assert told.returncode == 2
    assert "has events of the role presence" in told.stderr
