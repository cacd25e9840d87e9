"""What a keeper would use of a site's recordings and what it would leave out, told from labels and headers.

Owns the counting and the reasons. Must not know who asks. Nothing is heard and nothing is written; a recording whose
header is sound and whose samples are not is found only when features are made.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from client.door import held_speech, speakers_per_emotion
from client.policy import Policy
from client.rules import Holdings, check_minima
from client.site import Site
from common.corpora.labels import in_short
from common.corpora.manifest import Manifest
from common.corpora.reading import UNKNOWN
from common.wire import Code, Refused

ALIKE = 3
"""Letters in which two spellings of one emotion begin alike, such as anger and angry."""


@dataclass(frozen=True)
class Survey:
    """Of one site."""

    site: Site
    manifest: Manifest

    @property
    def dropped(self) -> int:
        """Recordings that are there and would not be used."""
        return len(self.manifest.skipped) + sum(self.manifest.left_out.values())

    def held(self) -> str:
        """What would be used.

        Such as: 81 recordings: neutral 20, angry 25, sad 16, happy 20; 2 speakers.
        """
        counted = zip(self.manifest.labels, self.manifest.counts, strict=True)
        emotions = ", ".join(f"{label} {count}" for label, count in counted)
        speakers = len(self.manifest.speakers)
        return f"{len(self.manifest)} recordings: {emotions}; {speakers} speaker{'s' * (speakers != 1)}"

    def reasons(self) -> Iterator[str]:
        """Why the others would not be, a line or two however many they are."""
        if told := in_short(self.manifest.skipped):
            yield told
        if others := ", ".join(f"{emotion} {count}" for emotion, count in self.manifest.left_out.items()):
            yield f"emotions that the site file does not name: {others}"

    def refusal(self, policy: Policy) -> Code | None:
        """With which word a policy's minima refuse every tuning here, if they do."""
        own = self.manifest
        held = Holdings(self.site.session, own.labels, "", own.counts, speakers_per_emotion(own), "")
        try:
            check_minima(policy, held)
        except Refused as refusal:
            return refusal.code
        return None

    def maps(self) -> list[str]:
        """Options that would bring unknown labels in, such as anger=angry; where none is alike, a blank to fill in."""
        reasons = (re.match(rf"{UNKNOWN} '([a-z_]+)'", file.reason) for file in self.manifest.skipped)
        unknown = Counter(matched[1] for matched in reasons if matched)
        return [f"{label}={_alike(label, self.site.emotions)}" for label in unknown]


def survey(site: Site) -> Survey:
    """Of a site's recordings; an error where there is nothing to use says what is there."""
    return Survey(site, held_speech(site))


def _alike(label: str, emotions: tuple[str, ...]) -> str:
    """The one emotion that begins as a label does.

    >>> _alike("anger", ("neutral", "angry")), _alike("joy", ("neutral", "happy"))
    ('angry', '...')
    """
    found = [emotion for emotion in emotions if emotion[:ALIKE] == label[:ALIKE]]
    return found[0] if len(found) == 1 else "..."
