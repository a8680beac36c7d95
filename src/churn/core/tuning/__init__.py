"""Tuning: settings of the boosted trees, judged on time-ordered folds that lie before the test."""

from churn.core.tuning.folds import Fold, dates, folds
from churn.core.tuning.losses import Loss, confirmed, losses
from churn.core.tuning.space import SPACE, in_use, space

__all__ = ["SPACE", "Fold", "Loss", "confirmed", "dates", "folds", "in_use", "losses", "space"]
