"""The version of eyesoff, read from what is installed, so that it is written once."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("eyesoff")
    except PackageNotFoundError:  # run from a Flower bundle, which installs no metadata
        return "0"


VERSION = _installed()
