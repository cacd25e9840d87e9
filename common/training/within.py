"""A generator that stays within few directions of the public one, layer by layer, for as long as it is tuned.

Owns when it is brought back there, and how. Must not know a loss, nor what leaves a site in which form.

Steps are taken freely, and after a few of them each layer's difference to the public one is replaced by the nearest of
the rank (a projected gradient descent; Jain et al. 2010). Directions that gradients keep asking for are found so, where
factors would have to begin with directions by chance. Norms are folded into the weights before the first step: a norm
that followed them would scale the public part too, which is a difference of full rank.
"""

import torch

from common.networks.generator import Generator, release_weights
from common.weights import Form, cut, restored

EVERY = 10
"""Free steps: enough for a new direction to outgrow one that is given up, few enough to lose little by each return."""


class Within:
    """Remembers where a generator begins; its norms are folded here and stay so."""

    def __init__(self, generator: Generator, form: Form) -> None:
        generator.fold_norms()
        self._generator, self._form = generator, form
        self._public = release_weights(generator)
        self._shapes = {name: tuple(value.shape) for name, value in self._public.items()}

    def after(self, step: int) -> None:
        """Bring it back where it is time to."""
        if (step + 1) % EVERY == 0:
            self.bring_back(self._generator)

    @torch.no_grad()
    def bring_back(self, generator: Generator) -> None:
        """The nearest weights of which a cut to the rank loses nothing; `generator` may be an average of the tuned."""
        unused = torch.Generator()  # nothing is rounded
        left = cut(release_weights(generator), self._public, self._form, unused)
        generator.load_released(restored(left, self._public, self._form, self._shapes))
