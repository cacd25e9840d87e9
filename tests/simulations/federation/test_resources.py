"""How many clients fit, by cores, by memory and by GPU, and what is said where none does."""

import pytest

from common.config import Config, load_config
from common.errors import UserError
from simulations.federation.resources import Machine, plan_resources

GB = 10**9
SMALL = Machine(cores=2, memory=16 * GB)


def planned(machine, clients=5, preset="demo", **campaign):
    config = load_config(preset)
    campaign = config.campaign.model_copy(update=campaign)
    return plan_resources(config.model_copy(update={"campaign": campaign}), clients, machine)


def test_two_cores_tune_two_clients_at_once():
    plan = planned(SMALL)
    assert (plan.clients, plan.at_once, plan.threads, plan.gpus) == (5, 2, 1, 0)


def test_there_are_never_more_at_once_than_clients():
    assert planned(Machine(cores=64, memory=500 * GB), clients=3).at_once == 3


def test_threads_are_cores_taken():
    assert planned(Machine(cores=8, memory=100 * GB), clients=20, client_threads=3).at_once == 2
    assert planned(Machine(cores=2, memory=100 * GB), client_threads=3).at_once == 1


def test_memory_bounds_them_and_the_server_keeps_its_share():
    plan = planned(SMALL)
    for number in (1, 2):
        memory = plan.server_bytes + number * plan.client_bytes
        assert planned(Machine(cores=64, memory=memory)).at_once == number
        assert planned(Machine(cores=64, memory=memory + plan.client_bytes - 1)).at_once == number


def test_where_no_client_fits_the_numbers_and_the_remedy_are_told():
    with pytest.raises(UserError, match=r"one client needs \d+\.\d GB and the server \d+\.\d GB") as caught:
        planned(Machine(cores=2, memory=4 * GB), preset="paper")
    assert "4.0 GB of memory are free" in str(caught.value)
    assert "network.width" in str(caught.value)


@pytest.mark.parametrize(("gpus", "at_once"), [(1, 3), (2, 6)])
def test_gpus_are_shared_so_that_the_shares_of_one_fit_it(gpus, at_once):
    need = planned(SMALL)
    memory = need.server_bytes + 3 * need.client_bytes
    plan = planned(Machine(cores=64, memory=100 * GB, gpus=(memory,) * gpus), clients=20)
    assert plan.at_once == at_once
    assert 3 * plan.gpus <= 1 < 4 * plan.gpus


def test_a_gpu_that_is_too_small_is_told():
    with pytest.raises(UserError, match="on each GPU are free"):
        planned(Machine(cores=64, memory=100 * GB, gpus=(GB // 10,)))


def test_the_plan_is_told_in_two_lines():
    assert planned(SMALL).lines()[0] == "5 clients, 2 at a time, 1 thread(s) each"
    shared = planned(Machine(cores=64, memory=100 * GB, gpus=(80 * GB,)), clients=4)
    assert "of a GPU each" in shared.lines()[0]


def test_this_machine_is_measured():
    machine = Machine.here(Config.model_validate({"runtime": {"device": "cpu"}}))
    assert machine.cores >= 1
    assert machine.memory > 0
    assert machine.gpus == ()
