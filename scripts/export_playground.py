"""Write the trained networks of the double pendulum as the script that the playground loads.

    python scripts/export_playground.py

The numbers are those of `lnn_tutorial/shipped/double_pendulum_lnn.npz` and `…_plain.npz`, in their
own precision, as base64.
"""

import base64
import json
from pathlib import Path

import numpy as np

from lnn_tutorial import store

SCRIPT = Path(__file__).resolve().parent.parent / "playground" / "weights.js"
MODELS = {"lagrangian": "double_pendulum_lnn", "plain": "double_pendulum_plain"}

TEXT = """\
"use strict";

/* The book's trained networks. Written by scripts/export_playground.py, not by hand. */

playground.define("weights", ({ lagrangian, plain }) => {
  const MADE = %s;
  const MODELS = { lagrangian: lagrangian.LagrangianNetwork, plain: plain.PlainNetwork };
  const models = {};
  for (const [kind, { arguments: settings, parameters }] of Object.entries(MADE)) {
    const bytes = Uint8Array.from(atob(parameters), (letter) => letter.charCodeAt(0));
    models[kind] = new MODELS[kind](settings);
    models[kind].network.parameters.set(new Float32Array(bytes.buffer));
  }
  return models;
});
"""


def main():
    """Write the script."""
    SCRIPT.write_text(script(), encoding="utf-8")


def script():
    """The text of the script."""
    made = {kind: exported(*store.load_model(name)) for kind, name in MODELS.items()}
    return TEXT % json.dumps(made, indent=2).replace("\n", "\n  ")


def exported(model, params):
    """A model's arguments by the playground's names, and its numbers layer by layer."""
    expected = {"dim": 2, "angles": (True, True), "activation": "silu", "angle_features": "trig"}
    if any(getattr(model, name) != value for name, value in expected.items()):
        raise ValueError(f"expected a model that the playground knows, got {model}")
    settings = {"width": model.width, "depth": model.depth, "velocityScale": model.velocity_scale}
    if hasattr(model, "kinetic_offset"):
        settings["kineticOffset"] = float(model.kinetic_offset)
    else:
        settings["accelerationScale"] = model.acceleration_scale
    numbers = [np.ravel(layer[name]) for layer in params for name in ("weight", "bias")]
    flat = np.concatenate(numbers).astype("<f4")
    return {"arguments": settings, "parameters": base64.b64encode(flat.tobytes()).decode()}


if __name__ == "__main__":
    main()
