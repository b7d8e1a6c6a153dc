"""`seqclass serve CKPT`."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Literal

from jsonargparse.typing import PositiveInt

from seqclass.commands.options import new_parser, parse
from seqclass.serving import Limits


def run(arguments: Sequence[str]) -> None:
    parser = new_parser("serve", "Answer texts over HTTP: POST /classify, a page at /, and what is asked at /docs.")
    parser.add_argument("checkpoint", type=str, help="the trained model; no other file is needed")
    parser.add_argument(
        "--host",
        type=str,
        default="127.0.0.1",
        help="where to listen: 127.0.0.1 for this machine alone; 0.0.0.0 or :: for whoever reaches it",
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=PositiveInt, default=1, help="processes that each hold the model")
    parser.add_argument(
        "--api_servers", type=PositiveInt, default=1, help="processes that read requests and write responses"
    )
    parser.add_argument("--device", type=Literal["cpu", "cuda"], default="cpu")
    parser.add_argument("--batch_size", type=PositiveInt, default=64, help="texts computed at a time")
    parser.add_class_arguments(Limits)
    options = parse(parser, arguments)

    from seqclass.serving.server import TextServer, serve

    server = TextServer(
        options.checkpoint,
        limits=Limits(**{field.name: options[field.name] for field in fields(Limits)}),
        workers=options.workers,
        batch_size=options.batch_size,
        device=options.device,
    )
    serve(server, host=options.host, port=options.port, api_servers=options.api_servers)
