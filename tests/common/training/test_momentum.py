"""Plain descent is torch's SGD, and goes on from where it stopped."""

import torch

from common.training.momentum import Momentum


def parameters():
    stream = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(5, 3, generator=stream)), torch.nn.Parameter(torch.zeros(2))]


def descend(optimizer, moved, steps):
    for step in range(steps):
        moved[0].grad = (moved[0].detach() * (step + 1)).sin()
        optimizer.step()


def test_it_steps_like_the_stock_one_and_leaves_what_has_no_gradient():
    mine, stock = parameters(), parameters()
    descend(Momentum(mine, 0.1, 0.9), mine, 6)
    descend(torch.optim.SGD(stock, lr=0.1, momentum=0.9), stock, 6)
    torch.testing.assert_close(mine[0], stock[0])
    assert not mine[1].any()


def test_its_velocities_are_all_that_it_keeps():
    whole, cut = parameters(), parameters()
    descend(Momentum(whole, 0.1, 0.9), whole, 4)
    first = Momentum(cut, 0.1, 0.9)
    descend(first, cut, 4)
    then = Momentum(cut, 0.1, 0.9)
    then.load_state_dict(first.state_dict())
    other = Momentum(whole, 0.1, 0.9)  # which has forgotten
    whole[0].grad, cut[0].grad = torch.ones(5, 3), torch.ones(5, 3)
    other.step()
    then.step()
    assert not torch.equal(whole[0], cut[0])
    first.forget_gradients()
    assert cut[0].grad is None
