"""What holds in every test: no network but this machine, and how many examples a property gets."""

import os
import socket

import pytest
from hypothesis import HealthCheck, settings

# Both are derandomised: a test that fails fails again. `long` is for `make test-long`.
settings.register_profile(
    "fast", max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("fast"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_collection_modifyitems(config, items):
    """Leave out the tests that take minutes, unless a `-m` asks for some."""
    if config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes; `make test-long` runs it"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """A test that reaches out would pass here and fail elsewhere; notebooks talk to their kernel on loopback."""
    connect = socket.socket.connect

    def only_here(self, address):
        if self.family != getattr(socket, "AF_UNIX", None) and not str(address[0]).startswith(
            ("127.", "::1", "localhost")
        ):
            raise OSError(f"a test may not connect to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)
