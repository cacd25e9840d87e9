"""Plain gradient descent with momentum, as older papers have it.

Owns the velocities and the rate. Must not know a loss. It stands where `Adam` stands in a phase.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Momentum:
    """Moves parameters by their gradients and a share of how they moved before; `rate` may change between steps."""

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float, momentum: float = 0.0) -> None:
        self.parameters = list(parameters)
        self.rate = rate
        self._momentum = momentum
        self._velocities = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]

    def forget_gradients(self) -> None:
        """What the next backward leaves is all there is."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for parameter, velocity in zip(self.parameters, self._velocities, strict=True):
            if parameter.grad is not None:
                velocity.mul_(self._momentum).add_(parameter.grad)
                parameter.sub_(velocity, alpha=self.rate)

    def state_dict(self) -> dict[str, Tensor]:
        """Velocities by the parameter's number."""
        return {f"{index}.velocity": velocity for index, velocity in enumerate(self._velocities)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue from stored velocities."""
        for name, value in self.state_dict().items():
            value.copy_(state[name])
