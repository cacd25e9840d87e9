"""The one door to a site's speech.

Owns every access to the recordings, and what is derived from them at the site: features, patches, counts. Must not know
who asks, nor the shape of any message: what leaves is decided elsewhere.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from client.rules import Holdings
from client.site import Site
from common.corpora import OtherEmotions, read_corpus
from common.corpora.manifest import Manifest
from common.corpora.skew import as_set
from common.features.cache import Features, features_for
from common.features.patches import PatchSource
from common.features.scaling import Scaling
from common.recognizers import Predictor
from common.recognizers.trying import confusions_by_speaker
from common.scoring import Confusion
from common.settings import FeatureConfig, hash_identity, option_words
from common.wire import Code, Extremes, Refused

log = logging.getLogger(__name__)


class Door:
    """Opens when something is first asked of it, and keeps what it found."""

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def feature_settings(self) -> FeatureConfig:
        """How this site turns speech into patches."""
        return self._site.features

    @property
    def features_identity(self) -> str:
        """Names those settings."""
        return hash_identity(self._site.features.model_dump(mode="json"))

    @cached_property
    def features(self) -> Features:
        """Log-mels of every utterance that can be used, cached in the site's own state folder."""
        runtime = self._site.runtime.model_copy(update={"cache": str(self._site.state / "cache")})
        features = features_for(self._labelled(), self._site.features, runtime, skip_bad=True)
        for file in features.manifest.skipped:
            log.warning("left out: %s: %s", file.path, file.reason)
        return features

    @property
    def manifest(self) -> Manifest:
        """The labelled utterances of this site's session that can be used, in the order of their features."""
        return self.features.manifest

    def _labelled(self) -> Manifest:
        site = self._site
        options = option_words(site.options)
        try:
            corpus = read_corpus(site.corpus, site.root, emotions=site.emotions, skip_bad=True, **options)
        except OtherEmotions as error:
            raise Refused(Code.NO_SPEECH, where=error) from None
        held = corpus.where(lambda u: u.emotion is not None and (not site.holds or u.session == site.holds))
        if not len(held):
            remedy = f"it has sessions {', '.join(corpus.sessions) or 'none'}: set `holds` in the site file to one"
            raise Refused(Code.NO_SPEECH, where=f"session {site.holds or '(any)'} of {site.root}", remedy=remedy)
        return as_set(held, site.skew, site.skew_seed)

    def holdings(self) -> Holdings:
        """What the gate must know to judge a request; a site without labelled speech says so in its log, once."""
        none = (0,) * len(self._site.emotions)
        held = Holdings(self._site.session, self._site.emotions, self.features_identity, none, none, speech="")
        try:
            utterances, speakers = self.utterances_per_emotion(), self.speakers_per_emotion()
        except Refused as nothing:
            log.error("nothing is tuned or scored here: %s", nothing)
            return held
        return replace(held, utterances=utterances, speakers=speakers, speech=self.speech)

    @cached_property
    def speech(self) -> str:
        """Names this version of the speech: every usable recording's bytes, label and speaker."""
        digest = hashlib.sha256(self.manifest.content_hash().encode())
        for utterance in self.manifest.utterances:
            with (self.manifest.root / utterance.path).open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    def utterances_per_emotion(self) -> tuple[int, ...]:
        """Counts in label order."""
        counts = Counter(u.emotion for u in self.manifest.utterances)
        return tuple(counts[label] for label in self.manifest.labels)

    def speakers_per_emotion(self) -> tuple[int, ...]:
        """How many speakers said something in each emotion, in label order."""
        pairs = {(u.emotion, u.speaker) for u in self.manifest.utterances}
        counts = Counter(emotion for emotion, _ in pairs)
        return tuple(counts[label] for label in self.manifest.labels)

    def examples(self, scaling: Extremes | None, seed: int, *, balanced: bool) -> PatchSource:
        """A source of labelled training examples; the same for the same seed."""
        return PatchSource(self.features, self.manifest, _scaling(scaling), seed, balanced=balanced)

    def confusions(self, predictor: Predictor, scaling: Extremes | None, stop: Callable[[], bool]) -> list[Confusion]:
        """What a recognizer takes for what here, a confusion for each speaker."""
        return confusions_by_speaker(predictor, self.features, self.manifest, _scaling(scaling), stop)


def _scaling(extremes: Extremes | None) -> Scaling:
    if extremes is None:
        raise Refused(Code.BAD_FIELD, where="scaling")
    return Scaling(extremes.low, extremes.high)
