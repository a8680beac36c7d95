"""LightGBM's model text: several boosters of the same features as one, whose margin is the mean of theirs."""

import re
from collections.abc import Sequence

_TREE = re.compile(r"^Tree=\d+\n", re.MULTILINE)
_SCALED = ("leaf_value", "internal_value")


def mean_of(texts: Sequence[str]) -> str:
    """One model text holding all trees of the boosters, with leaf values divided by the number of boosters.

    A margin is the sum of one leaf value a tree, so the sum over all trees becomes the mean of the boosters' margins,
    and contributions, which are linear in the leaf values, become the mean of their contributions. LightGBM keeps the
    average it boosts from inside the first tree of each booster, so it is divided as well.

    Parameters
    ----------
    texts : sequence of str
        Made by `Booster.model_to_string` from the same features, with one tree a round.

    Returns
    -------
    str
        A model text that ends with its last tree: LightGBM's own list of parameters speaks of one training, so it is
        left out. The model's card has them.
    """
    split = [_parts(text) for text in texts]
    trees = [_scaled(tree, len(texts)) for _, found in split for tree in found]
    blocks = [f"Tree={number}\n{tree}\n\n" for number, tree in enumerate(trees)]
    header = re.sub(r"^tree_sizes=.*$", "", split[0][0], flags=re.MULTILINE).rstrip("\n")
    # LightGBM reads each tree from its offset: a wrong size aborts the process.
    sizes = " ".join(str(len(block.encode())) for block in blocks)
    return f"{header}\ntree_sizes={sizes}\n\n{''.join(blocks)}end of trees\n"


def counted(text: str) -> int:
    """Trees in a model text."""
    return len(_TREE.findall(text.split("end of trees\n", maxsplit=1)[0]))


def _parts(text: str) -> tuple[str, list[str]]:
    """What stands before the first tree, and the trees without their `Tree=` line."""
    header, *trees = _TREE.split(text.split("end of trees\n", maxsplit=1)[0])
    return header, [tree.rstrip("\n") + "\n" for tree in trees]


def _scaled(tree: str, boosters: int) -> str:
    return "\n".join(_divided(line, boosters) for line in tree.split("\n"))


def _divided(line: str, boosters: int) -> str:
    name, _, numbers = line.partition("=")
    if name not in _SCALED:
        return line
    return f"{name}={' '.join(repr(float(number) / boosters) for number in numbers.split())}"
