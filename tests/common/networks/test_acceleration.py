"""What the machine has is used, and what it lacks is named."""

import pytest
import torch

from common.errors import UserError
from common.networks import Acceleration, Discriminator, Generator, prepare
from common.networks.acceleration import lowered
from common.settings import NetworkConfig, RuntimeConfig


def test_fp32_is_left_alone():
    acceleration = Acceleration.of(RuntimeConfig(device="cpu", precision="fp32"))
    with acceleration.autocast():
        assert lowered(torch.ones(1)).dtype == torch.float32


def test_bf16_reaches_every_product_and_keeps_weights_in_fp32():
    acceleration = Acceleration.of(RuntimeConfig(device="cpu", precision="bf16"))
    config = NetworkConfig(width=1 / 64, noise=4)
    generator, discriminator = Generator(config), Discriminator(config, 2)
    with acceleration.autocast():
        patches = generator(torch.ones(2, 4), torch.eye(4)[:2])
        scores = discriminator(patches)
    scores.float().sum().backward()
    exact = discriminator(generator(torch.ones(2, 4), torch.eye(4)[:2]))
    torch.testing.assert_close(scores.float(), exact, atol=0.02, rtol=0.1)
    parameters = [*generator.parameters(), *discriminator.parameters()]
    assert all(parameter.grad.dtype == torch.float32 for parameter in parameters)


def test_a_gpu_that_is_not_there_is_named():
    if torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(UserError, match="no CUDA device"):
        Acceleration.of(RuntimeConfig(device="cuda"))


def test_the_thread_count_of_the_settings_holds_while_it_is_entered_and_not_before_nor_after():
    before = torch.get_num_threads()
    acceleration = Acceleration.of(RuntimeConfig(device="cpu", threads=before + 1))
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError), acceleration.entered():
        assert torch.get_num_threads() == before + 1
        raise ZeroDivisionError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("device", "allowed"), [("cuda", True), ("cpu", False)])
def test_a_gpu_multiplies_in_tf32_while_it_is_entered_and_other_devices_change_nothing(device, allowed):
    matmul = torch.backends.cuda.matmul
    assert not matmul.allow_tf32
    with Acceleration(torch.device(device), bf16=False).entered():
        assert matmul.allow_tf32 is allowed
    assert not matmul.allow_tf32


def test_preparing_changes_no_weight():
    network = Discriminator(NetworkConfig(width=1 / 64), 1)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    after = prepare(network, torch.device("cpu")).state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_a_gpus_library_tries_kernels_out_before_a_long_stage_only(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    on_gpu = Acceleration(torch.device("cuda"), bf16=False)
    for steps, tries in ((on_gpu.tries_from, True), (on_gpu.tries_from - 1, False)):
        on_gpu.expect(steps)
        assert torch.backends.cudnn.benchmark is tries


def test_a_device_is_called_by_its_name():
    assert Acceleration(torch.device("cpu"), bf16=False).device_name == "cpu"
