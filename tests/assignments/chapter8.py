"""Plausible wrong answers to assignment 8, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "all rows are taken for one motion",
        answers={
            "cut": """def cut(t, q, label, frames, dt):
    rows = np.arange(len(q) - frames)[:, None] + np.arange(frames + 1)
    return q[rows]
"""
        },
        passes=("cut_visible",),
        fails=("cut_several", "cut_lost"),
    ),
    Wrong(
        "lost pictures are not noticed",
        answers={
            "cut": """def cut(t, q, label, frames, dt):
    found = []
    for one in np.unique(label):
        places = q[label == one]
        found += [places[k : k + frames + 1] for k in range(len(places) - frames)]
    return np.array(found)
"""
        },
        passes=("cut_visible", "cut_several"),
        fails=("cut_lost",),
    ),
    Wrong(
        "the first and the last frame are looked at, and those in one row are not",
        answers={
            "cut": """def cut(t, q, label, frames, dt):
    found = []
    for k in range(len(t) - frames):
        if label[k] == label[k + frames] and t[k + frames] - t[k] < (frames + 0.5) * dt:
            found.append(q[k : k + frames + 1])
    return np.array(found)
"""
        },
        passes=("cut_visible",),
        fails=("cut_several", "cut_lost"),
    ),
    Wrong(
        "the air pulls down, whichever way the ball flies",
        answers={
            "drag_loss": """def drag_loss(c, t, height, speed):
    def loss(c):
        slope = lambda h, v: (v, -9.81 + c * v**2)
        start = jnp.asarray(height[:1]), jnp.array([speed])
        found, _ = integrate.through(slope, *start, t, substeps=2)
        return jnp.mean((found[1:, 0] - jnp.asarray(height[1:])) ** 2)

    return jax.value_and_grad(loss)(c)
"""
        },
        passes=("drag_loss_visible", "drag_loss_slope"),
        fails=("drag_loss_upwards",),
    ),
    Wrong(
        "frames are taken to be equally far apart",
        answers={
            "drag_loss": """def drag_loss(c, t, height, speed):
    def loss(c):
        slope = lambda h, v: (v, -9.81 - c * jnp.abs(v) * v)
        start = jnp.asarray(height[:1]), jnp.array([speed])
        times = t[0] + (t[1] - t[0]) * np.arange(len(t))
        found, _ = integrate.through(slope, *start, times, substeps=2)
        return jnp.mean((found[1:, 0] - jnp.asarray(height[1:])) ** 2)

    return jax.value_and_grad(loss)(c)
"""
        },
        passes=("drag_loss_visible", "drag_loss_upwards"),
        fails=("drag_loss_slope",),
    ),
    Wrong(
        "the true law: whatever predicts perfectly must be right",
        answers={
            "euler_law": """def euler_law(omega, h):
    return omega**2, 0.0
"""
        },
        passes=("euler_law_visible",),
        fails=("euler_law_frames", "euler_law_energy"),
    ),
    Wrong(
        "the first corrections only, for frames close together",
        answers={
            "euler_law": """def euler_law(omega, h):
    return omega**2 * (1 - (omega * h) ** 2 / 6), omega**2 * h / 2
"""
        },
        passes=("euler_law_visible", "euler_law_energy"),
        fails=("euler_law_frames",),
    ),
    Wrong(
        "the stiffness of a leapfrog, which has no friction",
        answers={
            "euler_law": """def euler_law(omega, h):
    return 2 * (1 - np.cos(omega * h)) / h**2, 0.0
"""
        },
        passes=("euler_law_visible",),
        fails=("euler_law_frames", "euler_law_energy"),
    ),
]
