"""`python -m lnn_tutorial reproduce EXPERIMENT`: train, measure, print a table, write JSON."""

import argparse
import json
import sys

from lnn_tutorial import store
from lnn_tutorial.experiments import EXPERIMENTS
from lnn_tutorial.train import NonFiniteError


def main(arguments=None):
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        result = EXPERIMENTS[options.name](
            seed=options.seed,
            starts=options.starts,
            checkpoint=options.checkpoint,
            **({} if options.steps is None else {"steps": options.steps}),
        )
    except (NonFiniteError, store.StoreError) as error:
        print(f"lnn_tutorial: {error}", file=sys.stderr)
        return 1
    print(table(result))
    if options.json:
        text = json.dumps(result, indent=1) + "\n"
        store.write_atomically(options.json, lambda file: file.write(text.encode()))
    return 0


def table(result):
    """The figures of an experiment as text, a column for each model."""
    columns = {**result["models"], "integrator floor": result["integrator_floor"]}
    names = list(dict.fromkeys(name for figures in columns.values() for name in figures))
    width = max(map(len, names))
    head = f"{result['experiment']}, seed {result['seed']}, {result['states_seen']:,} states seen"
    lines = [head, " " * width + "".join(f"{c:>18}" for c in columns)]
    for name in names:
        cells = (figures.get(name) for figures in columns.values())
        lines.append(f"{name:<{width}}" + "".join(f"{_cell(value):>18}" for value in cells))
    return "\n".join(lines)


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
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    reproduce.add_argument(
        "name", metavar="NAME", choices=EXPERIMENTS, help=f"one of: {', '.join(EXPERIMENTS)}"
    )
    reproduce.add_argument(
        "--seed", type=_whole(0), default=0, metavar="N", help="of parameters and training states"
    )
    reproduce.add_argument(
        "--steps", type=_whole(1), metavar="N", help="training steps; by default the recipe's own"
    )
    reproduce.add_argument(
        "--starts", type=_whole(1), default=40, metavar="N", help="motions that are judged"
    )
    reproduce.add_argument("--json", metavar="FILE", help="write the figures there")
    reproduce.add_argument(
        "--checkpoint", metavar="DIR", help="keep checkpoints there, and resume from them"
    )
    return parser


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
