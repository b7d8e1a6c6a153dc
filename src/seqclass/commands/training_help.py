"""What `seqclass fit --help` and its like print: the options that most people need, and how to see all."""

_DATA = """\
  --data.train PATH                 your own labelled texts: .csv, .tsv, .jsonl, .parquet, or a folder of folders
  --data.text_column NAME           where the text is (text), and
  --data.label_column NAME          where the label is (label)
  --data.test PATH                  test texts; without one, a fifth of the texts is held out
"""

_OTHERS = """\
Any value of a config can be given here, by its path in the file; what is given here wins. Without --config, the recipe
for your own texts is used, configs/text.yaml.

  seqclass {command} --help_all                                   all options
  seqclass {command} --config FILE ... --print_config             all values that a run would have, as YAML
  seqclass {command} --data.help seqclass.data.TextDataModule     options of your own texts
"""

_MEASURE = """\
usage: seqclass {command} --data.train PATH --ckpt_path CKPT [options]
       seqclass {command} --config FILE --ckpt_path CKPT [options]

{does}

  --ckpt_path CKPT                  the trained model, such as runs/text/1/checkpoints/last.ckpt
  --config FILE                     the recipe, which says where the texts are
{data}\
  --trainer.accelerator cpu         or gpu; what there is without it
  --runs_dir FOLDER                 where each run gets a folder of its own (runs)

{others}"""

_FIT = """\
usage: seqclass fit --data.train PATH [options]
       seqclass fit --config FILE [options]

Train a classifier, and write it with its figures to a folder of its own below runs/.

  --config FILE                     a recipe: configs/text.yaml for your own texts, configs/lstm.yaml for IMDB reviews
{data}\
  --model.stack NAME                lstm, lstm_dropout, lstm_gate_dropout, cnn_lstm or pooled
  --model.hidden_size N             units of the LSTM
  --model.optimizer.lr RATE         learning rate
  --trainer.max_epochs N            how long to train; also --trainer.max_steps
  --trainer.accelerator cpu         or gpu; what there is without it
  --ckpt_path CKPT                  go on from a checkpoint, such as runs/text/1/checkpoints/last.ckpt
  --seed_everything N               another seed, another run
  --runs_dir FOLDER                 where each run gets a folder of its own (runs)

{others}"""

_DOES = {
    "validate": "Measure a checkpoint on the validation texts.",
    "test": "Measure a checkpoint on the test texts.",
    "predict": "Write label and probability of each test text to predictions.csv in a folder below runs/.\n"
    "For texts without labels: seqclass classify CKPT --input FILE --out predictions.csv",
}

HELP = {
    "fit": _FIT.format(data=_DATA, others=_OTHERS.format(command="fit")),
    **{
        command: _MEASURE.format(command=command, does=does, data=_DATA, others=_OTHERS.format(command=command))
        for command, does in _DOES.items()
    },
}
