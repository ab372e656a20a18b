"""What can go wrong while models are made.

ModelsError
├── CorpusError    a corpus file says something the corpus can't hold
├── RecipeError    a recipe names something unknown, or asks for what can't be
├── LineageError   a model is not what its lineage says, or not made from that base
└── AcceptanceError  a model was made but answers worse than its recipe allows
"""

from __future__ import annotations


class ModelsError(Exception):
    """One line for the user: what was wrong, where, what is allowed."""


class CorpusError(ModelsError):
    pass


class RecipeError(ModelsError):
    pass


class LineageError(ModelsError):
    pass


class AcceptanceError(ModelsError):
    pass
