"""What the tests of a steward's commands share."""

import numpy as np
import pytest
import soundfile


@pytest.fixture
def site_file(tmp_path):
    (tmp_path / "speech").mkdir()
    soundfile.write(tmp_path / "speech" / "one.wav", np.random.default_rng(0).normal(size=4000) / 10, 16000)
    (tmp_path / "speech" / "recordings.csv").write_text("path,emotion,session\none.wav,sad,03+08\n")
    (tmp_path / "site.toml").write_text('session = "03+08"\nroot = "speech"\n')
    return tmp_path / "site.toml"
