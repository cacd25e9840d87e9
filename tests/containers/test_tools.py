"""What the machine lacks for the containers is named before anything is built."""

import pytest


@pytest.fixture
def place(tools, tmp_path):
    """A folder with all that is needed."""
    for tool in tools[0]:
        (tmp_path / tool).touch(mode=0o755)
    return tmp_path


def test_with_all_tools_nothing_is_said(tools, place):
    tools[1](str(place))


@pytest.mark.parametrize("tool", ["podman", "iptables"])
def test_a_missing_tool_is_named_with_the_command_that_installs_it(tool, tools, place):
    (place / tool).unlink()
    with pytest.raises(pytest.fail.Exception, match=rf"^needs {tool}: apt-get install .*{tool}"):
        tools[1](str(place))
