"""The model as texts: what is stored comes back, and nothing else is read."""

import hashlib
import json

import pytest
from model_world import LIGHTGBM, SECTIONS, world

from churn.core.model import MODELS, Model, files, margins, model, read, version
from churn.words.errors import IntegrityFault


@pytest.fixture(scope="module")
def boosted() -> Model:
    return model(*world(), **LIGHTGBM)


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_a_stored_model_comes_back_and_scores_the_same(kind: str) -> None:
    tables = world()
    fitted = model(*tables, **SECTIONS[kind])
    again = read(files(fitted))
    assert margins(again, tables[0]).tolist() == margins(fitted, tables[0]).tolist()
    assert files(again) == files(fitted)
    assert version(again) == version(fitted)


def test_training_twice_gives_the_same_bytes(boosted: Model) -> None:
    assert files(model(*world(), **LIGHTGBM)) == files(boosted)


def test_the_version_is_the_digest_of_the_digests(boosted: Model) -> None:
    assert version(boosted) == hashlib.sha256(files(boosted)["digests.json"].encode()).hexdigest()[:12]
    other = model(*world(seed=2), **LIGHTGBM)
    assert version(other) != version(boosted)


@pytest.mark.parametrize("name", ["booster.txt", "calibration.json", "vocabulary.json", "card.json"])
@pytest.mark.parametrize("harm", [lambda text: text[: len(text) // 2], lambda text: text.replace("1", "2", 1)])
def test_a_cut_or_edited_file_is_refused_before_lightgbm_sees_it(boosted: Model, name: str, harm: object) -> None:
    texts = files(boosted)
    texts[name] = harm(texts[name]) if "1" in texts[name] else texts[name] + " "
    with pytest.raises(IntegrityFault, match=name):
        read(texts)


@pytest.mark.parametrize("name", ["booster.txt", "card.json", "digests.json"])
def test_a_missing_file_is_named(boosted: Model, name: str) -> None:
    texts = files(boosted)
    del texts[name]
    with pytest.raises(IntegrityFault, match=name):
        read(texts)


def test_a_pickle_beside_the_model_is_refused(boosted: Model) -> None:
    with pytest.raises(IntegrityFault, match=r"model\.pkl"):
        read({**files(boosted), "model.pkl": "..."})


def test_a_body_of_other_features_is_refused(boosted: Model) -> None:
    texts = files(boosted)
    texts["booster.txt"] = texts["booster.txt"].replace("spend_90d", "money_90d")
    digests = {
        **json.loads(texts["digests.json"]),
        "booster.txt": hashlib.sha256(texts["booster.txt"].encode()).hexdigest(),
    }
    again = read({**texts, "digests.json": json.dumps(digests)})
    with pytest.raises(IntegrityFault, match="other features"):
        margins(again, world()[0])
