"""What every test shares: few threads, so that many tests fit two cores and sums come out alike."""

import torch

torch.set_num_threads(1)
