"""Adam (Kingma & Ba 2015) over torch's fused kernel, which is several times faster than the loop, on processors too.

Owns the moments and the rate. Must not know a loss. Not `torch.optim.Adam`, though equal to it bit for bit: merely to
make one of those imports torch's compiler, which costs every process more seconds than a short tuning takes.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from common.settings import OptimizerConfig

EPSILON = 1e-8


class Adam:
    """Moves parameters by their gradients; `rate` may change between steps.

    `decay` is that of AdamW (Loshchilov & Hutter 2019): before each step weights shrink by that share of the rate.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], rate: float, settings: OptimizerConfig, decay: float = 0.0
    ) -> None:
        self.parameters = list(parameters)
        self.rate = rate
        self._settings, self._decay = settings, decay
        self._steps = [torch.zeros((), device=parameter.device) for parameter in self.parameters]
        # The kernel walks memory, not indices: a moment must lie in memory as its parameter does.
        self._means = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        self._squares = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]

    def forget_gradients(self) -> None:
        """What the next backward leaves is all there is."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        states = zip(self.parameters, self._means, self._squares, self._steps, strict=True)
        moving = [(parameter, parameter.grad, *state) for parameter, *state in states if parameter.grad is not None]
        if not moving:
            return
        parameters, gradients, means, squares, steps = (list(column) for column in zip(*moving, strict=True))
        torch._foreach_add_(steps, 1)
        if self._decay:
            torch._foreach_mul_(parameters, 1 - self.rate * self._decay)
        torch._fused_adam_(
            parameters,
            gradients,
            means,
            squares,
            [],
            steps,
            lr=self.rate,
            beta1=self._settings.beta1,
            beta2=self._settings.beta2,
            weight_decay=0.0,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Tensor]:
        """Steps and moments by the parameter's number and torch's name for them."""
        columns = {"step": self._steps, "exp_avg": self._means, "exp_avg_sq": self._squares}
        return {
            f"{index}.{name}": column[index]
            for index in range(len(self.parameters))
            for name, column in columns.items()
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue from stored moments."""
        for name, value in self.state_dict().items():
            value.copy_(state[name])
