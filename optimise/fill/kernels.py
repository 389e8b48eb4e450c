"""How alike the rates of two bins are, as a kernel of scikit-learn: surroundings, place, the bin itself. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Exponentiation, Kernel, Matern

from optimise.fill.readings import Floats

_LOWEST, _HIGHEST = 1e-3, 4.0


class OnColumns(Exponentiation):  # type: ignore[misc]  # scikit-learn carries no types
    """A kernel that sees only the columns `first` to `last` of its input: (n, last - first) of (n, all)."""

    def __init__(self, kernel: Kernel, first: int, last: int) -> None:
        super().__init__(kernel, 1.0)
        self.first = first
        self.last = last

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - scikit-learn's signature
        """Return the parameters by name, as scikit-learn's clone needs them."""
        inner = {f"kernel__{name}": value for name, value in self.kernel.get_params().items()} if deep else {}
        return {"kernel": self.kernel, "first": self.first, "last": self.last} | inner

    def __call__(self, X: Floats, Y: Floats | None = None, eval_gradient: bool = False) -> Any:  # noqa: N803, FBT001, FBT002 - scikit-learn's signature
        """Return the kernel's matrix (n, m), and its gradient (n, n, p) when asked."""
        other = None if Y is None else Y[:, self.first : self.last]
        return self.kernel(X[:, self.first : self.last], other, eval_gradient=eval_gradient)

    def diag(self, X: Floats) -> Any:  # noqa: N803 - scikit-learn's signature
        """Return the diagonal (n,) of the kernel's matrix."""
        return self.kernel.diag(X[:, self.first : self.last])

    def __repr__(self) -> str:
        return f"{self.kernel}[{self.first}:{self.last}]"


def bins_kernel(features: int) -> Kernel:
    """Return the prior covariance of log rates for inputs (n, features + 4): usual interval, features, place, number.

    A smooth effect of how often the bin is emptied (in standard deviations), one of the surroundings, a field over the
    town (in km), and what only the bin itself explains. The last lets noisy looks at a bin tell of that bin more than
    of its neighbours.
    """
    first = 1 + features
    place, own = (first, first + 2), (first + 2, first + 3)
    usual = OnColumns(RBF(length_scale=2.0, length_scale_bounds=(0.5, 30.0)), 0, 1)
    field = OnColumns(Matern(length_scale=0.3, length_scale_bounds=(0.05, 3.0), nu=1.5), *place)
    itself = OnColumns(RBF(length_scale=1e-3, length_scale_bounds="fixed"), *own)
    kernel = _scaled(0.2) * field + _scaled(0.1) * itself + _scaled(0.2) * usual
    if features:
        # At its longest scales this is a linear effect, so a linear kernel beside it would add nothing.
        alike = OnColumns(RBF(length_scale=np.sqrt(features), length_scale_bounds=(1.0, 100.0)), 1, first)
        kernel = kernel + _scaled(0.2) * alike
    return kernel


def _scaled(value: float) -> Kernel:
    return ConstantKernel(value, (_LOWEST, _HIGHEST))
