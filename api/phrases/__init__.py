"""What people read of a round, in their language: one catalogue a language, filled in from the values that are kept."""

from api.phrases.catalogue import Catalogue, Language, catalogue
from api.phrases.sentences import sentence

__all__ = ["Catalogue", "Language", "catalogue", "sentence"]
