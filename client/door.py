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

from client.activity import reading
from client.rules import Holdings
from client.site import Site
from common.audit.speech import Speech
from common.augmentation.backgrounds import Behind
from common.augmentation.balancing import enriched
from common.corpora import OtherEmotions, Progress, read_corpus
from common.corpora.labels import in_short
from common.corpora.manifest import Manifest
from common.corpora.skew import as_set
from common.errors import UserError
from common.features.cache import Features, features_for
from common.features.scaling import Scaling
from common.features.spaces import SpeechFeatures, identity_in
from common.features.vectors import VectorFeatures, identity_of_vectors, space_of_vectors, vectors_for
from common.recognizers import Predictor
from common.recognizers.trying import confusions_by_speaker
from common.scoring import Confusion
from common.settings import RuntimeConfig, option_words
from common.spaces import PATCHES, Space, Vectors
from common.training.draws import Examples
from common.wire import Code, Extremes, Refused, Tuning

log = logging.getLogger(__name__)


class Door:
    """Opens when something is first asked of it, and keeps what it found."""

    def __init__(self, site: Site, progress: Progress | None = None) -> None:
        self._site, self._progress = site, progress

    @cached_property
    def features(self) -> Features:
        """Log-mels of every utterance that can be used, cached in the site's own state folder."""
        with reading(self._site.state) as tell:
            speech, told = held_speech(self._site), self._both(tell)
            features = features_for(speech, self._site.features, self._runtime, told, skip_bad=True)
        skipped = features.manifest.skipped
        if why := in_short(skipped):
            log.warning("left out: %d of %d recordings: %s", len(skipped), len(skipped) + len(features.manifest), why)
        return features

    def features_in(self, space: Space) -> SpeechFeatures:
        """Of every utterance that can be used in a space, cached in the site's own state folder."""
        if not isinstance(space, Vectors):
            return self.features
        own = space_of_vectors(self._site.vectors)
        if (space.set, space.size) != (own.set, own.size):
            raise Refused(Code.WRONG_SPACE, where=space.set)
        return replace(self._vectors, space=space)

    @cached_property
    def _vectors(self) -> VectorFeatures:
        with reading(self._site.state) as tell:
            told = self._both(tell)
            vectors = vectors_for(self.manifest, self._site.vectors, self._runtime, told, skip_bad=True)
        skipped = vectors.manifest.skipped[len(self.manifest.skipped) :]
        if why := in_short(skipped):
            log.warning("left out of what reads vectors: %d recordings: %s", len(skipped), why)
        return vectors

    def _both(self, tell: Progress) -> Progress:
        """Who looks into the state folder is told how far the reading is, and who asked for it."""
        asked = self._progress

        def both(done: int, total: int) -> None:
            tell(done, total)
            if asked is not None:
                asked(done, total)

        return both

    @property
    def _runtime(self) -> RuntimeConfig:
        return self._site.runtime.model_copy(update={"cache": str(self._site.state / "cache")})

    @property
    def manifest(self) -> Manifest:
        """The labelled utterances of this site's session that can be used, in the order of their features."""
        return self.features.manifest

    def holdings(self) -> Holdings:
        """What the gate must know to judge a request; a site without labelled speech says so in its log, once."""
        none = (0,) * len(self._site.emotions)
        features = identity_in(PATCHES, self._site)
        held = Holdings(self._site.session, self._site.emotions, features, none, none, "", self._vectors_identity)
        try:
            manifest = self.manifest
        except Refused as nothing:
            log.error("nothing is tuned or scored here: %s", nothing)
            return held
        return replace(
            held,
            utterances=manifest.counts,
            speakers=speakers_per_emotion(manifest),
            speech=self.speech,
            in_vectors=self._holdings_in_vectors,
        )

    @cached_property
    def _vectors_identity(self) -> str | None:
        """A site whose set of features is not installed holds speech all the same."""
        try:
            return identity_of_vectors(self._site.vectors)
        except UserError as error:
            log.warning("no vectors here: %s", error)
            return None

    def _holdings_in_vectors(self) -> Holdings:
        vectors = self._vectors
        return Holdings(
            session=self._site.session,
            labels=self._site.emotions,
            features=identity_of_vectors(self._site.vectors),
            utterances=vectors.manifest.counts,
            speakers=speakers_per_emotion(vectors.manifest),
            speech=self.speech,
        )

    @cached_property
    def speech(self) -> str:
        """Names this version of the speech: every usable recording's bytes, label and speaker."""
        digest = hashlib.sha256(self.manifest.content_hash().encode())
        contents: dict[str, bytes] = {}  # one file may hold many utterances
        for utterance in self.manifest.utterances:
            if utterance.file not in contents:
                with (self.manifest.root / utterance.file).open("rb") as stream:
                    contents[utterance.file] = hashlib.file_digest(stream, "sha256").digest()
            digest.update(contents[utterance.file])
        return digest.hexdigest()

    def enriched(
        self,
        features: SpeechFeatures,
        scaling: Scaling | None,
        tuning: Tuning,
        seed: int,
        look: Callable[[int, int], object] = lambda done, total: None,
    ) -> Examples:
        """Speech of this site with more made of it here, as an accepted recipe asks for; it serves a fit alone."""
        if tuning.augmentation == "none":
            raise ValueError("nothing is to be made")
        site = self._site
        background = Behind(site.runtime.noises)
        try:
            return enriched(features, site, scaling, tuning.augmentation, tuning.made_of_one, background, seed, look)
        except UserError as error:  # such as one utterance of an emotion, between which and itself lies nothing
            log.warning("nothing can be made of the recordings: %s", error)
            raise Refused(Code.TOO_FEW_UTTERANCES, where=tuning.augmentation) from None

    def speech_in(self, space: Space, scaling: Extremes | None) -> Speech:
        """All utterances that can be used in a space, for an audit."""
        return Speech(self.features_in(space), space, scaling_of(space, scaling))

    def confusions(
        self, predictor: Predictor, space: Space, scaling: Extremes | None, stop: Callable[[], bool]
    ) -> list[Confusion]:
        """What a recognizer takes for what here, a confusion for each speaker."""
        features = self.features_in(space)
        return confusions_by_speaker(predictor, features, features.manifest, scaling_of(space, scaling), stop)


def held_speech(site: Site) -> Manifest:
    """The labelled utterances of a site's session whose headers are sound, and what is left out; none is heard."""
    options = option_words(site.options)
    try:
        corpus = read_corpus(site.corpus, site.root, emotions=site.emotions, skip_bad=True, options=options)
    except OtherEmotions as error:
        raise Refused(Code.NO_SPEECH, where=error) from None
    held = corpus.where(lambda u: u.emotion is not None and (not site.holds or u.session == site.holds))
    if not len(held):
        remedy = f"it has sessions {', '.join(corpus.sessions) or 'none'}: set `holds` in the site file to one"
        raise Refused(Code.NO_SPEECH, where=f"session {site.holds or '(any)'} of {site.root}", remedy=remedy)
    return as_set(held, site.skew, site.skew_seed)


def speakers_per_emotion(manifest: Manifest) -> tuple[int, ...]:
    """How many speakers said something in each emotion, in label order."""
    pairs = {(u.emotion, u.speaker) for u in manifest.utterances}
    counts = Counter(emotion for emotion, _ in pairs)
    return tuple(counts[label] for label in manifest.labels)


def scaling_of(space: Space, extremes: Extremes | None) -> Scaling | None:
    """Of patches, by the extremes that were sent; vectors have theirs in their space."""
    if isinstance(space, Vectors):
        return None
    if extremes is None:
        raise Refused(Code.BAD_FIELD, where="scaling")
    return Scaling(extremes.low, extremes.high)
