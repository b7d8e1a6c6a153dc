import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """One thread for each small test: on a busy machine, threads that wait for each other take ten times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
