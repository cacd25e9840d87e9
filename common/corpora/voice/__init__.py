"""A small parametric voice: source and filter, a room, and no recording of anybody.

Owns how a delivery becomes sound. Must not know what an emotion is, nor where the sound is kept.
"""

from common.corpora.voice.room import Room, draw_room
from common.corpora.voice.speech import Delivery, Speaker, speak

__all__ = ["Delivery", "Room", "Speaker", "draw_room", "speak"]
