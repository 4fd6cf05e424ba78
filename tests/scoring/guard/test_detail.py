import cv2
import numpy as np
import pytest

from her2viewer.scoring.guard.detail import MOST_FINE, blockiness, detail_scale, examine_detail, fineness, sharpness
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.stains import Stain
from tests.scoring.guard.conftest import Picture


def failed(image: Picture) -> set[str]:
    return {one.name for one in examine_detail({Stain.HE: Sample(image)}) if not one.passed}


def test_a_good_pair_is_sharp_in_scale_and_whole(samples: dict[Stain, Sample]) -> None:
    assert [one.name for one in examine_detail(samples) if not one.passed] == []


def test_the_more_it_is_out_of_focus_the_less_sharp(pair: tuple[Picture, Picture]) -> None:
    figures = [sharpness(Sample(pair[0]))]
    figures += [sharpness(Sample(cv2.GaussianBlur(pair[0], (0, 0), sigma))) for sigma in (2, 4, 8, 16)]
    assert figures == sorted(figures, reverse=True)
    assert "blurred" in failed(cv2.GaussianBlur(pair[0], (0, 0), 12))


def test_an_eighth_of_the_field_is_magnified_too_much(pair: tuple[Picture, Picture]) -> None:
    near = cv2.resize(pair[0][400:528, 400:528], (1024, 1024), interpolation=cv2.INTER_CUBIC)
    assert failed(near)
    assert detail_scale(Sample(near)) > detail_scale(Sample(pair[0]))


def test_the_more_tissue_a_field_shows_the_finer_its_details(pair: tuple[Picture, Picture]) -> None:
    he, _ = pair
    figures = [fineness(Sample(he))]
    for times in (2, 4, 8):
        small = cv2.resize(he, (1024 // times, 1024 // times), interpolation=cv2.INTER_AREA)
        figures.append(fineness(Sample(np.tile(small, (times, times, 1)))))
    assert figures == sorted(figures) and figures[0] < MOST_FINE and figures[-1] > figures[0] + 1


def test_nuclei_of_two_pixels_are_magnified_too_little() -> None:
    for side, seen in ((2, True), (16, False)):
        nuclei = np.random.default_rng(2).random((1024 // side, 1024 // side)) < 0.2
        field = np.full((*nuclei.shape, 3), (235, 215, 230), np.uint8)
        field[nuclei] = (90, 70, 140)
        field = cv2.GaussianBlur(cv2.resize(field, (1024, 1024), interpolation=cv2.INTER_NEAREST), (0, 0), 0.5)
        assert (fineness(Sample(field)) > MOST_FINE) is seen


def test_a_field_of_few_pixels_is_not_taken_for_too_much_tissue(pair: tuple[Picture, Picture]) -> None:
    for side in (300, 512, 700, 2048):
        assert fineness(Sample(cv2.resize(pair[0], (side, side), interpolation=cv2.INTER_AREA))) < MOST_FINE


@pytest.mark.parametrize("shift", [0, 3])
def test_blocks_are_seen_wherever_they_begin(pair: tuple[Picture, Picture], shift: int) -> None:
    _, data = cv2.imencode(".jpg", pair[0], [cv2.IMWRITE_JPEG_QUALITY, 5])
    ruined = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[shift:, shift:]
    assert failed(np.ascontiguousarray(ruined)) >= {"jpeg_blocks"}
    _, data = cv2.imencode(".jpg", pair[0], [cv2.IMWRITE_JPEG_QUALITY, 75])
    assert "jpeg_blocks" not in failed(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))


def test_stripes_one_way_are_no_blocks() -> None:
    stripes = np.tile(np.repeat([60, 200], 4), (256, 32)).astype(np.uint8)
    assert blockiness(stripes) < 1.5
