"""What two tiny fits come to, bit by bit: whatever is rebuilt around a synthesizer, its results stay.

A digest here may change in two cases only. Another version of torch adds in another order: then nothing else may have
changed. Or a change means to alter what a synthesizer computes or draws: then CHANGELOG.md says so, and `results/` is
made anew. All digests are those of the code before synthesizers had one contract.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DIGESTS = {
    "AuthenticAMD": {"eskimez": "9c2743344278b2bc", "chatziagapi": "b6a6868ea66f5a6c"},
    "GenuineIntel": {"eskimez": "e1bcb85b130791e5", "chatziagapi": "bc3e77f4c8ef52d5"},
}
"""By who made the processor: whatever it is asked for, MKL adds in another order on each."""
SAME_SUMS = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "AVX2,STRICT",
    "OMP_NUM_THREADS": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}
"""Every processor of one maker then adds in one order."""
FITS = """
import hashlib, json, runpy, sys
import torch
from common.config import Config
from common.networks import Acceleration
from common.settings import EMOTIONS
from common.spaces import PATCHES
from common.synthesizers import Fitting, synthesizer
from common.synthesizers.methods import chatziagapi
from common.training.phases import Surroundings

shared = runpy.run_path(sys.argv[1])
torch.set_num_threads(1)
chatziagapi.CODED = 64
rates = {"generator_learning_rate": 1e-3, "discriminator_learning_rate": 2e-3}
config = Config.model_validate({
    "network": {"width": 1 / 64, "noise": 8},
    "finetuning": {"iterations": 4, "batch": 2, "average": 0.9, **rates},
    "chatziagapi": {"code": 4, "autoencoder_iterations": 3, "iterations": 3, "batch": 4, "learning_rate": 1e-3},
    "runtime": {"device": "cpu", "precision": "fp32"},
})
around = Surroundings(Acceleration.of(config.runtime))
base = shared["fresh"](config).learned()
digests = {}
for name in ("eskimez", "chatziagapi"):
    one, bands = synthesizer(name), shared["Bands"]()
    weights = one.fit(Fitting(lambda balanced: bands, base, EMOTIONS, PATCHES, 1, around), one.settings_of(config))
    content = b"".join(key.encode() + weights[key].contiguous().numpy().tobytes() for key in sorted(weights))
    digests[name] = hashlib.sha256(content).hexdigest()[:16]
print(json.dumps(digests))
"""


def test_a_tiny_fit_comes_to_the_weights_that_it_always_came_to():
    if (maker := _maker()) not in DIGESTS:
        pytest.skip(f"another kind of processor adds in another order: {maker or 'unknown'}")
    command = [sys.executable, "-c", FITS, str(Path(__file__).parents[1] / "conftest.py")]
    ran = subprocess.run(command, env=os.environ | SAME_SUMS, capture_output=True, text=True, check=True, timeout=100)
    assert json.loads(ran.stdout) == DIGESTS[maker]


def _maker():
    """Of this machine's processor, as Linux tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), "")
