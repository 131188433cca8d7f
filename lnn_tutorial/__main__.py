"""The command line: `reproduce` the book's experiments, `learn` from a table of one's own."""

import argparse
import inspect
import json
import sys
import warnings
from contextlib import contextmanager

import jax

from lnn_tutorial import _inputs, learning, plots, store
from lnn_tutorial.experiments import EXPERIMENTS, OptionError
from lnn_tutorial.learning import command
from lnn_tutorial.train import DivergedError

COMMON = {
    "seed": {"help": "of parameters and training states"},
    "steps": {"help": "training steps"},
}
"""The arguments that every experiment has; its own are told by `experiments.command_line`."""

CHECKPOINT = "keep checkpoints there, and resume from them"


def main(arguments=None):
    """Run the command line; returns the exit status."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    run = {"reproduce": _reproduce, "learn": _learn}[given.pop("command")]
    try:
        with jax.default_matmul_precision("highest"):  # all digits, on a GPU too
            run(parser, given)
    except OptionError as error:
        parser.error(str(error))
    except (DivergedError, store.StoreError) as error:
        print(f"lnn_tutorial: {error}", file=sys.stderr)
        return 1
    return 0


def _reproduce(parser, given):
    """Run an experiment, print its table, write its figures."""
    name, file = given.pop("name"), given.pop("json", None)
    with _door(parser, given):
        if file is not None:
            _inputs.file("--json", file)
    experiment = EXPERIMENTS[name]
    result = experiment(**given)
    print(table(result, experiment.tables))
    if file is not None:
        _write_json(file, result)


def _learn(parser, given):
    """Learn from a table: print what was understood, the plan and the report, write files."""
    out, checkpoint = given.pop("out", None), given.pop("checkpoint", None)
    with _door(parser, {"checkpoint": checkpoint}), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the notes say it too
        files = {} if out is None else command.outputs(out)
        measured = command.table(given)
        plan = learning.plan(measured, **command.settings(given))
    print(*measured.notes, "", plan, "", sep="\n", flush=True)
    learned = learning.follow(plan, checkpoint=checkpoint)
    print(learned.report)
    if files:
        header = {"plan": dict(plan.lines), "coordinates": list(plan.names)}
        store.save_model(files[".npz"], learned.model, learned.params, header)
        _write_json(files[".json"], header | learned.report.figures)
        plots.save_learned(learned, files[".png"])
        print("", f"written: {', '.join(map(str, files.values()))}", sep="\n")


@contextmanager
def _door(parser, given):
    """A `with` block in which what is wrong with a command line ends it, in one line."""
    try:
        if given.get("checkpoint") is not None:
            _inputs.folder("--checkpoint", given["checkpoint"])
        yield
    except ValueError as error:
        parser.error(str(error))


def _write_json(file, result):
    text = json.dumps(store.for_json(result), indent=1, allow_nan=False) + "\n"
    store.write_atomically(file, lambda stream: stream.write(text.encode()))


def table(result, titles):
    """The figures of an experiment as text, a column for each model.

    Args:
        result: what the experiment returned.
        titles: of the tables below that of the models, by their key in the result.
    """
    head = f"{result['experiment']}, seed {result['seed']}, {result['states_seen']:,} states seen"
    columns = {**result["models"], "integrator floor": result["integrator_floor"]}
    lines = [head, *_lines(columns)]
    for key, title in titles.items():
        lines += ["", title, *_lines(result[key])]
    return "\n".join(lines)


def _lines(columns):
    names = list(dict.fromkeys(name for figures in columns.values() for name in figures))
    width = max(map(len, names))
    widths = [max(len(column), 10) + 2 for column in columns]
    cells = [columns, *([_cell(c.get(name)) for c in columns.values()] for name in names)]
    for name, row in zip(["", *names], cells, strict=True):
        yield f"{name:<{width}}" + "".join(f"{x:>{n}}" for x, n in zip(row, widths, strict=True))


def _cell(value):
    return "" if value is None else f"{value:.3g}"


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m lnn_tutorial",
        description="Lagrangian neural networks: the experiments of the book without a browser.",
        epilog="example: python -m lnn_tutorial reproduce spring-pendulum --json result.json",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    reproduce = commands.add_parser(
        "reproduce",
        help="train and measure an experiment, print a table",
        description="Train an experiment's models on equal data in equal steps, and measure them.",
    )
    names = reproduce.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, experiment in EXPERIMENTS.items():
        summary = experiment.__doc__.splitlines()[0]
        # what is not given is not handed on: the defaults are the experiment's own
        one = names.add_parser(
            name, help=summary, description=summary, argument_default=argparse.SUPPRESS
        )
        _add_options(one, experiment)
        one.add_argument("--json", metavar="FILE", help="write the figures there")
        one.add_argument("--checkpoint", metavar="DIR", help=CHECKPOINT)
    learn = commands.add_parser(
        "learn",
        help="learn a Lagrangian from a table of measurements",
        description="Learn a Lagrangian from a table of one's own, and say how good it is.",
        epilog="example: python -m lnn_tutorial learn --demo --out swing.npz",
    )
    command.add_options(learn, count=_count, seed=_seed)
    learn.add_argument("--checkpoint", metavar="DIR", help=CHECKPOINT)
    return parser


def _add_options(parser, experiment):
    defaults = inspect.signature(experiment).parameters
    for name, told in (COMMON | experiment.options).items():
        default, settings = defaults[name].default, dict(told)
        if default is not None and default is not False:
            settings["help"] += f"; {default} if absent"
        if default is False:
            settings["action"] = "store_true"
        elif isinstance(default, int):
            settings |= {"metavar": "N", "type": _seed if name == "seed" else _count}
        parser.add_argument(f"--{name.replace('_', '-')}", **settings)


def _count(text):
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def _seed(text):
    try:
        return _inputs.seed(_whole(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _whole(text):
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None


if __name__ == "__main__":
    sys.exit(main())
