"""What lies over a face: hair, glasses, brims, hands. It stays on top when the face underneath is replaced, and the
sitter's own is not pasted."""

from portraitist.compose.occlusion.find import find_occluders
from portraitist.compose.occlusion.glasses import glasses_score, wears_glasses
from portraitist.compose.occlusion.hands import HandFinder, MediaPipeHands

__all__ = ["HandFinder", "MediaPipeHands", "find_occluders", "glasses_score", "wears_glasses"]
