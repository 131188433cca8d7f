"""One colour and one name for each model, and colours for all else."""

COLOURS = {
    "truth": "#000000",
    "lnn": "#0072B2",
    "plain": "#D55E00",
    "hnn": "#009E73",
    "delan": "#CC79A7",
    "hnn_canonical": "#56B4E9",
    "lgn": "#E69F00",
}
"""One colour per model in the whole book, colour-blind safe (Okabe and Ito, 2008)."""

OTHERS = ["#5B2163", "#BFA14A", "#7A3414", "#5A5A5A", "#B4B4B4"]
"""Colours that are no model's (plum, sand, brown, two greys), for activations, losses, paths."""

LABELS = {
    "truth": "true system",
    "lnn": "Lagrangian network",
    "plain": "plain network",
    "hnn": "Hamiltonian network",
    "delan": "deep Lagrangian network",
    "hnn_canonical": "Hamiltonian network, canonical",
    "lgn": "Lagrangian graph network",
}
"""What a legend calls each model."""
