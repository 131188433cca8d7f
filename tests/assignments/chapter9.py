"""Plausible wrong answers to assignment 9, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "whatever moves is noise",
        answers={
            "camera_noise": """def camera_noise(q):
    return np.std(q, axis=0)
"""
        },
        passes=("camera_noise_visible",),
        fails=("camera_noise_motion", "camera_noise_each"),
    ),
    Wrong(
        "a second difference is taken to leave no motion",
        answers={
            "camera_noise": """def camera_noise(q):
    return np.sqrt(np.mean(np.diff(q, 2, axis=0) ** 2, axis=0) / 6)
"""
        },
        passes=("camera_noise_visible", "camera_noise_each"),
        fails=("camera_noise_motion",),
    ),
    Wrong(
        "all coordinates have one noise",
        answers={
            "camera_noise": """def camera_noise(q):
    one = np.sqrt(np.mean(np.diff(q, 8, axis=0) ** 2) / 12870)
    return np.full(q.shape[1], one)
"""
        },
        passes=("camera_noise_visible", "camera_noise_motion"),
        fails=("camera_noise_each",),
    ),
    Wrong(
        "three frames in the middle",
        answers={
            "weights": """def weights(t, degree, s):
    w, k = np.zeros(len(t)), len(t) // 2
    h = t[k] - t[k - 1]
    w[k - 1 : k + 2] = np.array([1, -2, 1]) / h**2
    return w
"""
        },
        passes=("weights_visible",),
        fails=("weights_anywhere", "weights_noise"),
    ),
    Wrong(
        "lost frames are not noticed",
        answers={
            "weights": """def weights(t, degree, s):
    times = np.linspace(t[0], t[-1], len(t))
    return 2 * np.linalg.pinv(np.vander(times - s, degree + 1, increasing=True))[2]
"""
        },
        passes=("weights_visible",),
        fails=("weights_anywhere", "weights_noise"),
    ),
    Wrong(
        "always in the middle of the window",
        answers={
            "weights": """def weights(t, degree, s):
    middle = (t[0] + t[-1]) / 2
    return 2 * np.linalg.pinv(np.vander(t - middle, degree + 1, increasing=True))[2]
"""
        },
        passes=("weights_visible",),
        fails=("weights_anywhere", "weights_noise"),
    ),
    Wrong(
        "the polynomial goes through as many frames as it can, those nearest to s",
        answers={
            "weights": """def weights(t, degree, s):
    nearest = np.argsort(abs(t - s))[: degree + 1]
    powers = np.vander(t[nearest] - s, degree + 1, increasing=True)
    w = np.zeros(len(t))
    w[nearest] = 2 * np.linalg.pinv(powers)[2]
    return w
"""
        },
        passes=("weights_visible", "weights_anywhere"),
        fails=("weights_noise",),
    ),
    Wrong(
        "the move is taken where the step begins",
        answers={
            "kept": """def kept(discrete_lagrangian, xi, q):
    momentum = jax.grad(discrete_lagrangian, 1)
    one = lambda before, now: momentum(before, now) @ xi(before)
    return jax.vmap(one)(jnp.asarray(q[:-1]), jnp.asarray(q[1:]))
"""
        },
        passes=("kept_visible", "kept_broken"),
        fails=("kept_turn",),
    ),
    Wrong(
        "what is conserved need not be computed again",
        answers={
            "kept": """def kept(discrete_lagrangian, xi, q):
    q = jnp.asarray(q)
    first = jax.grad(discrete_lagrangian, 1)(q[0], q[1]) @ xi(q[1])
    return jnp.full(len(q) - 1, first)
"""
        },
        passes=("kept_visible", "kept_turn"),
        fails=("kept_broken",),
    ),
    Wrong(
        "the momentum with which a step begins, at the position where it ends",
        answers={
            "kept": """def kept(discrete_lagrangian, xi, q):
    momentum = jax.grad(discrete_lagrangian, 0)
    one = lambda before, now: -momentum(before, now) @ xi(now)
    return jax.vmap(one)(jnp.asarray(q[:-1]), jnp.asarray(q[1:]))
"""
        },
        passes=("kept_visible",),
        fails=("kept_turn", "kept_broken"),
    ),
]
