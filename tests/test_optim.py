import math

import pytest
import torch

from seqclass import optim
from seqclass.optim import FusedAdam, KerasAdam


def by_hand(value, gradients, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """The class's formula for one number, in Python's floats."""
    first = second = 0.0
    for step, gradient in enumerate(gradients, start=1):
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        rate = lr * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        value -= rate * first / (math.sqrt(second) + eps)
    return value


def run(optimizer, parameter, gradients):
    for gradient in gradients:
        parameter.grad = torch.full_like(parameter, gradient)
        optimizer.step()


GRADIENTS = [0.3, -0.2, 1e-7, 0.0, 5.0, -1e-9, 2e-8]


@pytest.mark.parametrize(
    "options",
    [{}, {"eps": 1e-7}, {"lr": 0.1}, {"betas": (0.5, 0.9)}, {"betas": (0.0, 0.0), "eps": 1e-3}, {"lr": 0.0}],
    ids=str,
)
@pytest.mark.parametrize("steps", [1, 2, len(GRADIENTS)])
def test_is_the_formula(options, steps):
    parameter = torch.nn.Parameter(torch.tensor([[0.7, 0.7]], dtype=torch.float64))
    run(KerasAdam([parameter], **options), parameter, GRADIENTS[:steps])
    beta1, beta2 = options.get("betas", (0.9, 0.999))
    plain = {name: value for name, value in options.items() if name != "betas"}
    expected = by_hand(0.7, GRADIENTS[:steps], beta1=beta1, beta2=beta2, **plain)
    # Float64, seven steps; 1 - 0.999^t loses three digits on both sides alike.
    torch.testing.assert_close(parameter.detach(), torch.full_like(parameter, expected), rtol=1e-13, atol=0)


def first_update(optimizer_class, gradient, **options):
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    run(optimizer_class([parameter], **options), parameter, [gradient])
    return -parameter.item()


def test_damps_tiny_gradients_where_torchs_adam_does_not():
    """Torch adds eps to the corrected root, which is sqrt(1000) times the uncorrected one in the first step."""
    root = math.sqrt(0.001)
    for gradient in (1e-5, 1e-7, 1e-8, 1e-9):
        keras = first_update(KerasAdam, gradient, eps=1e-8)
        torchs = first_update(torch.optim.Adam, gradient, eps=1e-8)
        assert keras == pytest.approx(1e-3 * root * gradient / (root * gradient + 1e-8), rel=1e-12)
        assert torchs == pytest.approx(1e-3 * gradient / (gradient + 1e-8), rel=1e-12)
    # Of a gradient a tenth of eps: 31 times less in Keras' form at the limit, 29 here.
    assert torchs / keras == pytest.approx(28.8, abs=0.1)


@pytest.mark.parametrize("layout", ["as the parameter", "channels last", "parameter too"])
def test_one_pass_over_the_memory_gives_the_same(layout, monkeypatch):
    """PyTorch's fused Adam, where it is used, against operation after operation, whatever the strides."""
    updated = {}
    can = optim._FUSED_ON_CPU
    for fused in (can, False):
        monkeypatch.setattr(optim, "_FUSED_ON_CPU", fused)
        generator = torch.Generator().manual_seed(0)
        parameter = torch.randn(5, 4, 3, 2, generator=generator)
        if layout == "parameter too":
            parameter = parameter.to(memory_format=torch.channels_last)
        parameter = torch.nn.Parameter(parameter)
        optimizer = KerasAdam([parameter], lr=0.1, eps=1e-3)
        for _ in range(4):
            gradient = torch.randn(5, 4, 3, 2, generator=generator)
            parameter.grad = (
                gradient.to(memory_format=torch.channels_last) if layout != "as the parameter" else gradient
            )
            optimizer.step()
        updated[fused] = parameter.detach().clone()
        assert optimizer.state[parameter]["step"] == 4
    # Four steps of up to 0.1, at the scale of 1.
    torch.testing.assert_close(updated[can], updated[False], rtol=0, atol=1e-6)


def test_equals_torchs_adam_where_epsilon_does_not_matter():
    assert first_update(KerasAdam, 1.0, eps=0) == pytest.approx(first_update(torch.optim.Adam, 1.0, eps=0), rel=1e-12)
    ours, torchs = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
    run(KerasAdam([ours], eps=0), ours, [0.3, -0.2, 5.0])
    run(torch.optim.Adam([torchs], eps=0), torchs, [0.3, -0.2, 5.0])
    torch.testing.assert_close(ours, torchs, rtol=1e-13, atol=0)


def test_is_torchs_adam_with_a_corrected_epsilon():
    """In step t Keras' form is torch's with eps / sqrt(1 - beta2^t)."""
    ours, torchs = (torch.nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in range(2))
    keras_adam, torch_adam = KerasAdam([ours], eps=1e-3), torch.optim.Adam([torchs])
    for step, gradient in enumerate([1e-3, -2e-4, 3e-3, 1e-4], start=1):
        torch_adam.param_groups[0]["eps"] = 1e-3 / math.sqrt(1 - 0.999**step)
        run(keras_adam, ours, [gradient])
        run(torch_adam, torchs, [gradient])
    torch.testing.assert_close(ours, torchs, rtol=1e-13, atol=0)


def test_a_saved_state_goes_on_as_if_nothing_had_happened(tmp_path):
    straight, stopped, resumed = (torch.nn.Parameter(torch.ones(3)) for _ in range(3))
    run(KerasAdam([straight], lr=0.1, eps=1e-7), straight, GRADIENTS)

    before = KerasAdam([stopped], lr=0.1, eps=1e-7)
    run(before, stopped, GRADIENTS[:3])
    torch.save({"optimizer": before.state_dict(), "parameter": stopped.data}, tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    resumed.data.copy_(saved["parameter"])
    after = KerasAdam([resumed])  # its settings come from the saved state
    after.load_state_dict(saved["optimizer"])
    assert after.state_dict()["param_groups"] == before.state_dict()["param_groups"]
    run(after, resumed, GRADIENTS[3:])
    assert torch.equal(resumed, straight)
    assert not torch.equal(resumed, stopped)


def test_groups_have_their_own_settings():
    first, second = (torch.nn.Parameter(torch.full((2,), 0.7, dtype=torch.float64)) for _ in range(2))
    optimizer = KerasAdam([{"params": [first]}, {"params": [second], "lr": 0.5, "eps": 1e-3}], lr=1e-2)
    for gradient in GRADIENTS:
        first.grad = second.grad = torch.full_like(first, gradient)
        optimizer.step()
    for parameter, options in ((first, {"lr": 1e-2}), (second, {"lr": 0.5, "eps": 1e-3})):
        expected = torch.full_like(parameter, by_hand(0.7, GRADIENTS, **options))
        torch.testing.assert_close(parameter.detach(), expected, rtol=1e-13, atol=0)


def test_a_scheduler_changes_the_rate():
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = KerasAdam([parameter], lr=1e-2, eps=0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    run(optimizer, parameter, [1.0])
    assert parameter.item() == pytest.approx(-1e-2, rel=1e-12)
    scheduler.step()
    run(optimizer, parameter, [1.0])
    # A constant gradient gives steps of exactly the rate.
    assert parameter.item() == pytest.approx(-1.5e-2, rel=1e-12)


def test_what_has_no_gradient_stays_and_its_steps_do_not_count():
    used, unused = (torch.nn.Parameter(torch.full((1,), 0.7, dtype=torch.float64)) for _ in range(2))
    optimizer = KerasAdam([used, unused])
    run(optimizer, used, [0.3])
    assert unused.item() == 0.7
    assert unused not in optimizer.state
    used.grad = None
    run(optimizer, unused, [0.3])
    assert unused.item() == pytest.approx(by_hand(0.7, [0.3]), rel=1e-13)


def test_a_closure_is_called_with_gradients_on():
    parameter = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = KerasAdam([parameter])

    def closure():
        optimizer.zero_grad()
        loss = parameter.square().sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert parameter.item() == pytest.approx(by_hand(2.0, [4.0]), rel=1e-13)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1e-3}, r"lr=-0\.001 is negative"),
        ({"eps": -1e-8}, "eps=-1e-08 is negative"),
        ({"betas": (1.0, 0.9)}, r"betas=\(1\.0, 0\.9\): each must be from 0 to below 1"),
        ({"betas": (0.9, -0.1)}, r"betas=\(0\.9, -0\.1\): each must be from 0 to below 1"),
    ],
)
def test_a_wrong_value_is_named(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        KerasAdam([torch.nn.Parameter(torch.ones(1))], **options)


def test_sparse_gradients_are_refused():
    table = torch.nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match=r"^KerasAdam does not take sparse gradients$"):
        KerasAdam(table.parameters()).step()


def test_fused_adam_is_adam():
    torch.manual_seed(0)
    one, other = (torch.nn.Parameter(torch.linspace(-1, 1, 50)) for _ in range(2))
    optimizers = FusedAdam([one], lr=0.01, betas=(0.9, 0.99)), torch.optim.Adam([other], lr=0.01, betas=(0.9, 0.99))
    for _ in range(5):
        gradient = torch.randn(50)
        for parameter, optimizer in zip((one, other), optimizers, strict=True):
            parameter.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(one, other, rtol=0, atol=1e-6)  # float32, five steps of 0.01
