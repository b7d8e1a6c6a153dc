"""`seqclass pretrain --data.train TEXTS --out FILE`."""

import sys
from collections.abc import Iterator, Sequence

from jsonargparse import ActionConfigFile  # type: ignore[attr-defined]
from tqdm import tqdm

from seqclass.commands.options import new_parser, parse
from seqclass.data.sources import Reading
from seqclass.files import check_not_source
from seqclass.pretraining import corpus_texts, pretrain
from seqclass.text import Lower, StripHtml, Tokenizer, TokenizerKind


def run(arguments: Sequence[str]) -> None:
    parser = new_parser(
        "pretrain", "Learn word vectors from texts without labels; fit --model.pretrained starts from them."
    )
    parser.add_argument("--config", action=ActionConfigFile, help="a YAML file of these options")
    parser.add_argument("--out", type=str, required=True, help="the .safetensors file to write")
    parser.add_argument(
        "--data.train",
        type=list[str] | str,
        required=True,
        help="tables of texts (.csv, .tsv, .jsonl, .json, .parquet), folders of .txt files, or a .tar.gz of one",
    )
    parser.add_argument(
        "--data.text_column", type=list[str] | str, default="text", help="of the texts; a list joins several"
    )
    parser.add_argument("--data.encoding", type=str, default="utf-8", help="of the files")
    parser.add_argument("--data.tokenizer", type=TokenizerKind, default="words", help="as in fit, like the next six")
    parser.add_argument("--data.token_pattern", type=str | None, default=None, help="of the tokenizer regex")
    parser.add_argument("--data.lower", type=Lower, default="unicode", help="which letters become lower case")
    parser.add_argument("--data.filters", type=str, default="", help="characters that become spaces")
    parser.add_argument("--data.strip_html", type=StripHtml, default="breaks", help="what of HTML becomes spaces")
    parser.add_argument("--data.num_words", type=int | None, default=30_000, help="ids, and so rows of the embedding")
    parser.add_argument("--data.min_count", type=int, default=2, help="words with fewer occurrences count as unknown")
    parser.add_argument("--data.maxlen", type=int, default=1_000, help="words of a text that a model will read")
    parser.add_argument("--model.embedding_dim", type=int, default=112, help="numbers in a vector")
    parser.add_argument("--model.window", type=int, default=5, help="how many words apart two words occur together")
    options = parse(parser, arguments)

    data = options.data
    paths = [data.train] if isinstance(data.train, str) else data.train
    check_not_source(options.out, paths, option="--out")
    reading = Reading.from_options(text_column=data.text_column, label_column=None, encoding=data.encoding)
    tokenizer = Tokenizer(
        kind=data.tokenizer,
        token_pattern=data.token_pattern,
        lower=data.lower,
        filters=data.filters,
        strip_html=data.strip_html,
    )

    def texts() -> Iterator[str]:
        yield from tqdm(corpus_texts(paths, reading), unit=" texts", disable=None, leave=False)

    pretrained = pretrain(
        texts,
        tokenizer=tokenizer,
        num_words=data.num_words,
        min_count=data.min_count,
        maxlen=data.maxlen,
        embedding_dim=options.model.embedding_dim,
        window=options.model.window,
    )
    pretrained.save(options.out)
    ids, dimension = pretrained.vectors.shape
    print(f"Vectors of {dimension} numbers for {ids:,} ids are in {options.out}", file=sys.stderr)
