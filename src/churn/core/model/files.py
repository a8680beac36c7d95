"""The model as a value, and as the texts that are stored: no pickle, nothing that runs when it is read."""

import hashlib
import json
from dataclasses import dataclass

from churn.words.errors import IntegrityFault

BODIES = {
    "blend": "blend.json",
    "lightgbm": "booster.txt",
    "logistic": "coefficients.json",
    "bg_nbd": "bg_nbd.json",
    "own_mean": "own_mean.json",
    "rule": "rule.json",
}
"""The file that holds what was learnt, by kind of model."""

TOLD = ("kind", "choice", "interval")
"""What the card says of the map: which kind it is, how it was chosen, and how wide the intervals of scores are."""


@dataclass(frozen=True)
class Model:
    """What was learnt from the snapshots, complete enough to score without any library but LightGBM.

    Attributes
    ----------
    kind : str
        A key of `churn.core.model.MODELS`.
    features : tuple of str
        The features in the order in which the model takes them.
    vocabulary : dict
        Attribute column → its values; the code of a value is its position. From the train part only.
    dropped : dict
        Feature that told nothing in the train part → why it was left out.
    body : str
        LightGBM's model text, or JSON.
    calibration : dict
        The map from margin to score, see `churn.core.model.calibration`.
    card : dict
        How the model came about: rows, churners and base rate a part, parameters, rounds. No clock.
    """

    kind: str
    features: tuple[str, ...]
    vocabulary: dict[str, list[str]]
    dropped: dict[str, str]
    body: str
    calibration: dict
    card: dict


def files(model: Model) -> dict[str, str]:
    """The texts that make up the model, by file name; `digests.json` holds the SHA-256 of each of the others."""
    texts = {
        BODIES[model.kind]: model.body,
        "calibration.json": json_text(model.calibration),
        "vocabulary.json": json_text(model.vocabulary),
        "card.json": json_text(
            {
                **model.card,
                "kind": model.kind,
                "features": list(model.features),
                "dropped": model.dropped,
                "calibration": {name: model.calibration[name] for name in TOLD if name in model.calibration},
            }
        ),
    }
    return {**texts, "digests.json": json_text({name: _sha256(text) for name, text in texts.items()})}


def read(texts: dict[str, str]) -> Model:
    """The model that `files` made these texts of.

    Digests are compared before anything else looks into a text: LightGBM aborts the whole process on a text that was
    cut or edited.

    Raises
    ------
    IntegrityFault
        A file is missing, is not what its digest says, or does not belong to a model.
    """
    digests = _json("digests.json", texts.get("digests.json", ""))
    for name in sorted(digests):
        if name not in texts:
            raise IntegrityFault(f"model file {name} is missing; `churn run` trains the model anew")
        if _sha256(texts[name]) != digests[name]:
            raise IntegrityFault(
                f"model file {name} is not the one that was stored: its SHA-256 starts with "
                f"{_sha256(texts[name])[:12]}, digests.json says {str(digests[name])[:12]}. "
                "Restore it with `dvc checkout`, or train anew"
            )
    strangers = sorted(set(texts) - set(digests) - {"digests.json"})
    if strangers:
        raise IntegrityFault(f"{', '.join(strangers)} beside the model has no digest; only texts of ours are read")
    card = _json("card.json", texts.get("card.json", ""))
    kind = card.get("kind")
    if kind not in BODIES or BODIES[kind] not in texts:
        raise IntegrityFault(f"card.json speaks of a model of kind {kind!r}, whose body is not among the files")
    return Model(
        kind=kind,
        features=tuple(card["features"]),
        vocabulary=_json("vocabulary.json", texts["vocabulary.json"]),
        dropped=card["dropped"],
        body=texts[BODIES[kind]],
        calibration=_json("calibration.json", texts["calibration.json"]),
        card=card,
    )


def version(model: Model) -> str:
    """The first 12 hexadecimal digits of the digest over all files of the model."""
    return _sha256(files(model)["digests.json"])[:12]


def json_text(value: dict) -> str:
    """JSON with sorted keys, so that equal values are equal bytes; floats keep every digit."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _json(name: str, text: str) -> dict:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise IntegrityFault(f"model file {name} is missing or no JSON ({error}); `churn run` trains anew") from error
    if not isinstance(value, dict):
        raise IntegrityFault(f"model file {name} holds no JSON object; `churn run` trains the model anew")
    return value


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
