"""numba's `njit`, without what numba would import for products of matrices.

At its first call in a process numba looks for BLAS, through `scipy.linalg`. No function here multiplies matrices, and
that import takes a third of the .6 s of CPU that numba costs each process. So numba is told that there is no BLAS.
"""

from numba import njit
from numba.np import linalg

__all__ = ["njit"]


def _no_blas() -> None:
    raise ImportError("no function of churn multiplies matrices in compiled code")


_ensure_blas = linalg.ensure_blas
linalg.ensure_blas = _no_blas
try:
    import numba.np.arraymath  # noqa: F401 - asks for BLAS, once for all
finally:
    linalg.ensure_blas = _ensure_blas
