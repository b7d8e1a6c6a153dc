import pytest
import torch
from support.versions import needs_fake_gpu
from torch._subclasses.fake_tensor import FakeTensorMode

from seqclass.nn import LeadingPadding
from seqclass.nn.kernels import GRUArguments, LSTMArguments, choice, run_kernel
from seqclass.nn.kernels.choice import choose_kernel


def arguments(batch, *, cell="lstm", device="cpu", dtype=torch.float32, **options):
    kind = LSTMArguments if cell == "lstm" else GRUArguments
    units = kind.gates * 2
    biases = [(units,)] * (1 if cell == "lstm" else 2)
    shapes = [(batch, 3, 2), (units, 2), (units, 2), *biases]
    tensors = (torch.ones(shape, device=device, dtype=dtype) for shape in shapes)
    for name in ("input_masks", "recurrent_masks"):
        if name in options:
            options[name] = torch.ones(kind.gates, batch, 2, device=device, dtype=dtype)
    if options.get("padding") == "masked":
        options["padding"] = LeadingPadding(torch.zeros(batch, dtype=torch.int64, device=device), masked=True)
    return kind(*tensors, **options)


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setattr(choice, "compiled_refusal", lambda arguments: "anything here: no C compiler")
    choice._report_fallback.cache_clear()


BUILTIN_LACKS = [
    {"recurrent_activation": "hard_sigmoid"},
    {"recurrent_activation": "hard_sigmoid_keras3"},
    {"input_masks": True},
    {"recurrent_masks": True},
    {"padding": "masked"},
]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("options", [{}, *BUILTIN_LACKS], ids=lambda options: next(iter(options), "plain"))
@pytest.mark.parametrize("trains", [True, False])
def test_a_cpu_takes_compiled_whatever_is_asked(cell, options, trains):
    given = arguments(1, cell=cell, **options)
    given.weight_hh.requires_grad_(trains)
    assert choose_kernel(given) == "compiled"


@pytest.mark.parametrize(
    ("batch", "trains", "kernel"),
    [(1, True, "builtin"), (40, True, "builtin"), (41, True, "fused"), (200, False, "builtin"), (201, False, "fused")],
)
def test_without_a_compiler_a_cpu_takes_builtin_for_few_rows(no_compiler, batch, trains, kernel):
    given = arguments(batch)
    given.weight_hh.requires_grad_(trains)
    assert choose_kernel(given) == kernel


def test_without_gradients_a_trainable_layer_is_only_evaluated(no_compiler):
    given = arguments(64)
    given.weight_hh.requires_grad_()
    assert choose_kernel(given) == "fused"
    with torch.no_grad():
        assert choose_kernel(given) == "builtin"


@pytest.mark.parametrize(("padded", "kernel"), [(2, "builtin"), (0, "fused")])
def test_rows_in_their_shared_padding_do_not_count(no_compiler, padded, kernel):
    # Two of three steps are padding in every row: a third of 64 rows is computed at a step in the mean.
    given = arguments(64, padding=LeadingPadding(torch.full((64,), padded)))
    given.weight_hh.requires_grad_()
    assert choose_kernel(given) == kernel


def test_float64_is_not_for_onednn():
    assert choose_kernel(arguments(1, dtype=torch.float64)) == "fused"


@pytest.mark.parametrize("options", BUILTIN_LACKS, ids=lambda options: next(iter(options)))
def test_fused_where_builtin_refusal(no_compiler, options):
    assert choose_kernel(arguments(1, **options)) == "fused"


@needs_fake_gpu
@pytest.mark.parametrize("options", BUILTIN_LACKS, ids=lambda options: next(iter(options)))
def test_a_gpu_takes_fused_where_builtin_refusal(options):
    with FakeTensorMode():  # has devices that this machine need not have
        assert choose_kernel(arguments(64, device="cuda", **options)) == "fused"


@needs_fake_gpu
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_gpu_takes_builtin_where_it_can(cell):
    with FakeTensorMode():
        assert choose_kernel(arguments(64, cell=cell, device="cuda")) == "builtin"


# Masked padding is no obstacle to PyTorch's GRU: it is run in blocks that begin where a row does.
GRU_OPTIONS = [
    ({}, "builtin"),
    ({"padding": "masked"}, "builtin"),
    *((lacks, "reference") for lacks in BUILTIN_LACKS if "padding" not in lacks),
]


@pytest.mark.parametrize(("options", "kernel"), GRU_OPTIONS, ids=lambda value: str(next(iter(value), "plain")))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_a_compiler_a_gru_takes_builtin_where_it_can(no_compiler, options, kernel, dtype):
    assert choose_kernel(arguments(64, cell="gru", dtype=dtype, **options)) == kernel


@needs_fake_gpu
@pytest.mark.parametrize(("options", "kernel"), GRU_OPTIONS, ids=lambda value: str(next(iter(value), "plain")))
def test_on_a_gpu_a_gru_takes_builtin_where_it_can(options, kernel):
    with FakeTensorMode():
        assert choose_kernel(arguments(64, cell="gru", device="cuda", **options)) == kernel


@pytest.mark.parametrize("batch", [200, 201])
def test_auto_runs_the_chosen_kernel(batch):
    for options in ({}, {"recurrent_activation": "hard_sigmoid"}):
        given = arguments(batch, **options)
        assert torch.equal(run_kernel(given), run_kernel(given, choose_kernel(given)))
        given = arguments(batch, cell="gru", **options)
        assert torch.equal(run_kernel(given), run_kernel(given, choose_kernel(given)))


def test_a_fallback_is_logged_once_with_its_reason(no_compiler, caplog):
    for _ in range(3):
        run_kernel(arguments(2))
        run_kernel(arguments(64, recurrent_activation="hard_sigmoid"))
        run_kernel(arguments(2, cell="gru"))
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "seqclass.nn.kernels.choice",
            "WARNING",
            f"a slower {cell} kernel runs, since 'compiled' cannot run anything here: no C compiler",
        )
        for cell in ("LSTM", "GRU")
    ]


class OnMPS(torch.Tensor):
    """A tensor that says it is on a device that this machine need not have."""

    device = torch.device("mps")


class OnROCm(torch.Tensor):
    """PyTorch calls AMD's GPUs cuda."""

    device, is_cuda = torch.device("cuda"), True


@pytest.mark.parametrize(("cell", "faster"), [("lstm", "fused"), ("gru", "builtin")])
@pytest.mark.parametrize(("kind", "name"), [(OnMPS, "mps"), (OnROCm, "rocm")])
@pytest.mark.parametrize("options", [{}, *BUILTIN_LACKS], ids=lambda options: next(iter(options), "plain"))
def test_an_untested_device_takes_the_reference_and_says_so_once(
    cell, faster, kind, name, options, monkeypatch, caplog
):
    monkeypatch.setattr(torch.version, "hip", "6.4" if kind is OnROCm else None)
    choice._report_untested.cache_clear()
    given = arguments(64, cell=cell, **options)
    object.__setattr__(given, "inputs", given.inputs.as_subclass(kind))
    assert [choose_kernel(given) for _ in range(3)] == ["reference"] * 3
    assert [record.getMessage() for record in caplog.records] == [
        f"no {cell.upper()} kernel has been tested on {name}: the plain, slow 'reference' runs; kernel='{faster}' is "
        "faster, but compare its results first"
    ]
    choice._report_untested.cache_clear()


def test_what_the_hardware_has_no_faster_kernel_for_is_not_logged(no_compiler, caplog):
    run_kernel(arguments(1, dtype=torch.float64))
    run_kernel(arguments(1, cell="gru", dtype=torch.float64))
    run_kernel(arguments(2), "fused")
    assert not caplog.records
