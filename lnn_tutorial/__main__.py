"""`python -m lnn_tutorial reproduce EXPERIMENT`: train, measure, print a table, write JSON."""

import argparse
import json
import sys

from lnn_tutorial import store
from lnn_tutorial.experiments import EXPERIMENTS, PARTICLES, STATES
from lnn_tutorial.train import DivergedError

EXTRA_TABLES = {
    "control": "control: the harmonic oscillator",
    "larger_rings": "the first of them on larger rings, by number of nodes",
}
"""What stands below the table of an experiment's models, by its key in the result."""


def main(arguments=None):
    """Run the command line; returns the exit status."""
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    if not options.get("paper") and options.get("loss"):
        parser.error("--loss goes with --paper: the course's own recipe has one loss")
    if options.get("paper") and options.get("states") == "visited":
        parser.error("--paper trains on the box")
    del options["command"]
    name, file = options.pop("name"), options.pop("json")
    given = {option: value for option, value in options.items() if value is not None}
    try:
        result = EXPERIMENTS[name](**given)
    except (DivergedError, store.StoreError) as error:
        print(f"lnn_tutorial: {error}", file=sys.stderr)
        return 1
    print(table(result))
    if file:
        text = json.dumps(store.for_json(result), indent=1, allow_nan=False) + "\n"
        store.write_atomically(file, lambda stream: stream.write(text.encode()))
    return 0


def table(result):
    """The figures of an experiment as text, a column for each model."""
    head = f"{result['experiment']}, seed {result['seed']}, {result['states_seen']:,} states seen"
    columns = {**result["models"], "integrator floor": result["integrator_floor"]}
    lines = [head, *_lines(columns)]
    for key, title in EXTRA_TABLES.items():
        if key in result:
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
        _add_options(names.add_parser(name, help=summary, description=summary), name)
    return parser


def _add_options(parser, name):
    add = parser.add_argument
    add(
        "--seed", type=_whole(0), metavar="N", help="of parameters and training states; 0 if absent"
    )
    add("--steps", type=_whole(1), metavar="N", help="training steps; the recipe's own if absent")
    if name != "wave":
        help = "motions that are judged; 40 or 100 if absent"
        add("--starts", type=_whole(1), metavar="N", help=help)
    add("--json", metavar="FILE", help="write the figures there")
    add("--checkpoint", metavar="DIR", help="keep checkpoints there, and resume from them")
    if name == "relativistic-particle":
        add(
            "--lagrangian",
            choices=PARTICLES,
            help="the paper's (the default), or that of special relativity",
        )
    if name == "double-pendulum":
        add(
            "--states",
            choices=STATES,
            help="train on the paper's box (the default) or on "
            "states that swinging pendulums visit",
        )
        add(
            "--paper",
            action="store_true",
            help="train as the paper's text states: 4 × 500, "
            "batches of 32, Eq. 16, no offset, wrapped angles",
        )
        add("--loss", choices=("l1", "l2"), help="with --paper; l1 if absent")


def _whole(minimum):
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
        if value < minimum:
            raise argparse.ArgumentTypeError(f"expected at least {minimum}, got {value}")
        return value

    return parse


if __name__ == "__main__":
    sys.exit(main())
