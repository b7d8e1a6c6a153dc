"""Adam as Keras has it, and PyTorch's in its fastest form."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.adam import adam


class KerasAdam(Optimizer):
    r"""Adam with its epsilon outside the bias correction.

    With gradient g, step t, and the running means m of g and v of g^2, both from zero:

        lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)        p = p - lr_t * m / (sqrt(v) + eps)

    This is the form in front of section 2.1 of Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), and
    that of Keras 1, 2 and 3. `torch.optim.Adam` divides by `sqrt(v / (1 - beta2^t)) + eps`: there an epsilon is worth
    up to thirty times less in the first steps. The difference shows where gradients are as small as epsilon, as those
    of rare words are: Keras' form damps their steps.

    Args:
        params: parameters, or groups of them, as for every PyTorch optimizer.
        lr: learning rate.
        betas: decay of the running means of the gradient and of its square.
        eps: added to the root; 1e-8 in Keras 1, 1e-7 in Keras 2 and 3.

    Raises:
        ValueError: a value outside its range.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        if lr < 0:
            raise ValueError(f"lr={lr!r} is negative")
        if eps < 0:
            raise ValueError(f"eps={eps!r} is negative")
        for beta in betas:
            if not 0 <= beta < 1:
                raise ValueError(f"betas={betas!r}: each must be from 0 to below 1")
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every parameter that has a gradient.

        Raises:
            RuntimeError: a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if parameter.grad.is_sparse:
                    raise RuntimeError("KerasAdam does not take sparse gradients")
                state = self.state[parameter]
                if not state:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(parameter)
                    state["exp_avg_sq"] = torch.zeros_like(parameter)
                state["step"] += 1
                if _FUSED_ON_CPU and _is_plain(parameter):
                    self._fused_step(group, parameter, parameter.grad, state)
                    continue
                rate = group["lr"] * math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
                state["exp_avg"].lerp_(parameter.grad, 1 - beta1)
                state["exp_avg_sq"].mul_(beta2).addcmul_(parameter.grad, parameter.grad, value=1 - beta2)
                root = state["exp_avg_sq"].sqrt().add_(group["eps"])
                parameter.addcdiv_(state["exp_avg"], root, value=-rate)
        return loss

    def _fused_step(
        self, group: dict[str, Any], parameter: torch.Tensor, gradient: torch.Tensor, state: dict[str, Any]
    ) -> None:
        """Let PyTorch's Adam update one parameter, in one pass over its memory: a quarter of the time.

        Its epsilon is added after the root is divided by sqrt(1 - beta2^t), so it is given one that is divided too.
        """
        beta1, beta2 = group["betas"]
        adam(
            *([parameter], [gradient.contiguous()], [state["exp_avg"]], [state["exp_avg_sq"]], []),
            [torch.tensor(float(state["step"] - 1))],  # PyTorch counts this step itself
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=0.0,
            eps=group["eps"] / math.sqrt(1 - beta2 ** state["step"]),
            maximize=False,
        )


def _is_plain(parameter: torch.Tensor) -> bool:
    """Whether PyTorch's loop over memory can take it, which knows no strides."""
    kind = parameter.device.type == "cpu" and parameter.dtype in (torch.float32, torch.float64)
    return kind and parameter.is_contiguous()


class FusedAdam(torch.optim.Adam):
    """PyTorch's Adam with all parameters updated in one call, where this release of PyTorch can.

    On a CPU it can from 2.4 on; before, the result is the same and takes longer.

    Args:
        params: parameters, or groups of them, as for every PyTorch optimizer.
        lr: learning rate.
        betas: decay of the running means of the gradient and of its square.
        eps: added to the root.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, fused=_FUSED_ON_CPU or None)
        # In mixed precision Lightning does not clip for an optimizer that unscales gradients itself, even where, as in
        # bfloat16, nothing is scaled. With this PyTorch's scaler unscales them before the clipping.
        self._step_supports_amp_scaling = False


_FUSED_ON_CPU = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 4)
