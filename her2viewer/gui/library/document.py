"""What the library keeps of a score: its result file, as an export would write it."""

from dataclasses import asdict, dataclass

from pydantic_core import to_json

from her2viewer.cases.case import OpenedPair
from her2viewer.cases.pair import Pair, ihc_alone, pair_files
from her2viewer.export.results import json_text, result_document
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.flat import FlatImage
from her2viewer.scoring.prediction import Prediction
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, eq=False, slots=True)
class Told:
    """A score of the whole images, and all that its result file tells. `images`: only plain facts of them are looked at."""

    images: OpenedPair
    prediction: Prediction
    alignment: Alignment | None
    notices: tuple[str, ...]

    @property
    def pair(self) -> Pair:
        sources = self.images.sources
        ihc = self.images.ihc.path
        return pair_files(sources[Stain.HE].path, ihc) if Stain.HE in sources else ihc_alone(ihc)

    def document(self) -> str:
        """The result file. Of a slide, which is never hashed for this, the score with what it rests on, without the images."""
        sources, pair = self.images.sources, self.pair
        if all(isinstance(source, FlatImage) for source in sources.values()):
            return json_text(
                result_document(
                    pair.case_id,
                    sources,
                    self.prediction,
                    label=pair.label,
                    alignment=self.alignment,
                    notices=self.notices,
                )
            )
        told = self.prediction
        probabilities = dict(zip(told.classes, told.probabilities, strict=True))
        about = {
            "case_id": pair.case_id,
            "score": told.score,
            "probabilities": probabilities,
            "prediction_set": told.prediction_set,
            "no_call": told.no_call,
            "checks": [asdict(check) for check in told.checks],
            "model": asdict(told.model),
            "device": told.device,
            "precision": told.precision,
        }
        return to_json(about, indent=2).decode()
