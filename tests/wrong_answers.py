"""Wrong answers to the exercises, in tables: what is tried, and words that its verdict says."""

import inspect
import re

import pytest

from lnn_tutorial.checks import logbook

TRIED: dict[str, list] = {}
"""The words of all wrong answers to an exercise, by the name of its check."""

GIVEN_AWAY = {
    "throw_action": r"8|h²|h\*\*2|16|g T",
    "bend_coefficient": r"π|½|/ ?4|k T|a half",
    "hoop": r"\bsin|\bcos|R θ̇|Ω",
    "gauge": r"[ABDE]{2,}|x² ?y|x\*\*2",
    "fastest_slide": r"cycloid|steep|dip|lbfgs\(",
    "two_masses": r"m[₁₂12]|k ?\(|q[₂2] ?[-−]|zero|diag",
    "bead_on_parabola": r"2 ?a|4 ?a|(?<!\.)8 ?m",
    "one_scalar_of_a_matrix": r"@|ṙ ?θ̇|jnp\.|mixed @|rest",
    "spherical_pendulum": r"sin|m l|angular momentum|vertical|p_φ",
    "double_pendulum_mass": r"cos|m[₁₂12]|l[₁₂12]|\+",
    "batch_energies": r"vmap|grad|@",
    "imbalance": r"jax\.grad|argnums|dp_dt|\[|d𝓛",
    "mended_lagrangian": r"softplus|softmax|sin|cos|tanh",
    "error_power": r"jax\.grad|@|\(q̇, |acceleration\(",
    "trained_pendulum": r"32|1500|0\.02|LNN\(",
    "slides": r"√|sqrt|root of n|5\.6|31|32|256",
    "one_layer": r"@|\.T|outer|w_j",
    "last_layer": r"\d|−1|c 𝓛|inverse|cancel",
    "tail": r"Hill|exponential|mean of|1 ?/|slope.*k|quantile",
    "bell": r"cdf|pdf|Φ|φ|ReLU|GELU is",
    "last_frame": r"abs|sort|\[:|median\(",
    "honest_split": r"split\(|random\.split|fold_in",
    "friction": r"solve|[-−] ?γ|@",
    "heavier_pendulum": r"0\.02|LNN\(|labelled\(|seed",
    "gauged_lagrangian": r"grad|jvp|∇|@|dot product",
    "partner_bracket": r"∂q̇ ?/|mass_matrix|inverse of|divide ",
    "best_constant": r"median|half|cumsum|searchsorted",
    "kinetic_energy": r"γ² ?v²|\(1 [-−] v\)|\(1 \+ v\)|/ ?\(",
    "magnetic_field": r"x ẏ|y ẋ|B/2|(?i:true|false)|cannot",
    "slipped_speed": r"√|sqrt|root of|dx ?/ ?2|/ ?dx²|roll",
    "bands": r"b [-−] a|difference|five|-2|−2",
    "hanging_string": r"½ ?κ|\bsin\(|4 ?sin|√",
    "cylinder": r"%|clip|divmod|minimum",
    "heun_step": r"dt ?/ ?2|½|0\.5|q \+|k[₁₂12]\b|acceleration\(",
    "windows": r"range\(|arange|sliding|f [-−]|\[:|x\[",
    "sensitivity": r"jax\.|\bgrad|jvp|jacfwd|through\(|d/dg",
    "learned_stiffness": r"\bcos|\bsin\b|sin²|1 [-−]|/ ?h|arcsin",
    "best_step": r"864|√|sqrt|\*\*|root|\b12\b|\b6\b|quarter|eighth|equal",
    "local_acceleration": r"polyfit|polyder|\.fit\(|deriv\(|lstsq|vander|2 ?\*|half²|/ ?half",
    "next_position": r"jax\.|\bgrad|jac|argnums|solve\(|2 ?q|[-−] ?q",
    "learned_stiffness_midpoint": r"\btan|\bcos|\bsin|4 ?/|/ ?h|arctan",
    "joint_friction": r"\.T\b|transpos|Jᵀ|@|einsum|jax\.|[-−] ?law",
    "late_law": r"\btan|\bcos|\bsin|/ ?ω|negative|[-−]ω",
    "rest_angle": r"2 ?b|2 ?hold|twice|ceil|floor|%|//|amplitude [-−]|\bodd|\beven|\btwo",
    "upper_arm": r"mass_matrix|hessian|jax\.|\bgrad\b|M₁₂|M12|M\[|/|∂²|\[0, 1\]|mixed",
    "lagrangian_change": r"jax\.|\bjvp|\bgrad|@|A q̇|∂|·",
    "noether": r"jax\.|\bgrad|@|momentum\(|∂|·|\(A q",
    "symmetry_columns": r"jvp|\bjac|jax\.|@|A a\b|A q̇|einsum|vmap|reshape",
    "term_residuals": r"jvp|\bjac|jax\.|@|hess|einsum|vmap|∂",
    "total_derivative": r"jvp|\bjac|hess|jax\.|euler_lagrange|\brandom|curl|∂",
}
"""Patterns of what an answer is made of: neither a message nor a general hint may contain it."""

HARMLESS = (
    r"factor of \S+|shape \([\d, ]*\)|expected \([\d, ]*\)|\d+ of \d+|entry \[[\d, ]*\]|[\d.]+ %"
    r"|(?:n|κ|dx|q|q̇|θ|g|ω|h|σ|fourth|d|τ|amplitude|hold) = [\[(]?[−\-\d., ]+[\])]?"
    r"|stencil \([^)]*\)|power -?[\d.]+|True or False"
)
"""What is no part of an answer: shapes, counts, states that were tried."""


def wrong_answers(exercise, rows):
    """Decorator: the test is run for each row, an answer in one or more parts and its words."""
    TRIED.setdefault(exercise, []).extend(row[-1] for row in rows)

    def decorate(test):
        names = list(inspect.signature(test).parameters)[: len(rows[0])]
        return pytest.mark.parametrize(names, rows)(test)

    return decorate


def given_away(text, exercise):
    """What a text tells of the answer to an exercise, or None."""
    return re.search(GIVEN_AWAY[exercise], re.sub(HARMLESS, "", text))


def refused(verdict, *words):
    """The message is a no that says each of `words`, asks nothing and gives nothing away."""
    assert not verdict, verdict
    for word in words:
        assert word in verdict.message, verdict.message
    if "raised" in verdict.message or "cannot be checked" in verdict.message:
        return  # in the words of Python or JAX
    if "by heart" not in verdict.message:
        assert "?" not in verdict.message, "a question is a hint"
        assert verdict.message[-1] == "."
    assert len(verdict.message) < 300
    exercise = logbook.LOGBOOK.last.key.rpartition(".")[2]
    assert not given_away(verdict.message, exercise), verdict
