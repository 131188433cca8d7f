"""Lagrangian neural networks, from the principle of least action to training.

The modules stand in the order of the lessons; each imports only from those before it:
`mechanics`, `systems`, `integrate`, `networks`, `features`, `models`, `fields`, `initialisation`,
`store`, `data`, `train`, `evaluate`, `learning`, `reading`, `experiments`, `plots`, `checks`.
"""

__version__ = "0.1.0"
