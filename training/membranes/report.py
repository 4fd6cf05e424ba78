"""The guide's page on the membrane reading, from what was measured."""

from collections.abc import Sequence

import numpy as np

from her2viewer.scoring.membrane.reading import CUTS, LIMITS
from her2viewer.scoring.membrane.rule import CLASSES, Cuts
from training.membranes.figures import Figures, RealField
from training.membranes.run import Measured

_INTRO = """# The membrane reading

A second reading of the IHC, without the network: nuclei are found, a membrane is traced round each, every cell is graded by
how dark its membrane is and how much of it is stained, and the ASCO/CAP rule of 2018 is applied to the shares. It stands beside
the network's score. Where the two lie two steps or more apart, that counts towards "no call".

**What it is not.** {limits}

## How it works
1. Counterstain and DAB are told apart, and the image is brought to 0.46 um a pixel.
2. A nucleus is what is bluer and less brown than what lies round it, or the pale middle of a brown ring.
3. What nuclei show as brown of themselves is the counterstain's and is taken off.
4. Round each nucleus the brownest closed line is followed that does not reach into the next cell.
5. Along it the DAB over the cell's inside is measured: its amount across the membrane (optical density x um, which blur does
   not change), and the share of the length where it is perceptible.
6. Nuclei that look like stroma or lymphocytes are passed over.
7. Grades: {cuts}.
"""

_FAILS = """
## Where it fails
Seen on the real images with the cells drawn over them:
- Large lumina inside a brown ring are taken for a cell now and then, and a stromal cell beside a strongly stained duct takes the
  duct's edge for its own membrane.
- Pale, unstained nuclei beside a strong nest are missed, so that the share of stained cells comes out too high.
- Scattered tumour cells that lie far apart are passed over as stroma.
- Granular cytoplasm is read as membrane.
"""


def page(measured: Measured, command: str) -> str:
    """The page as Markdown. command: what remakes it."""
    ours, peer = measured.ours, measured.peer
    text = _INTRO.format(limits=" ".join(LIMITS), cuts=_words(CUTS))
    text += f"""
## On phantoms
{ours.fields} phantom fields of 1024 px that set no threshold ({measured.fitted_on} others did), beside scikit-image's way (Otsu's
threshold, distance watershed, cells by growing nuclei by 2.2 um), whose thresholds were set on the same others:
{_words(measured.peer_cuts)} (amounts in optical density).
scikit-image would also add 145 MB to the app, of which SciPy is 113. Packaged networks for nuclei (StarDist, Cellpose,
InstanSeg, cellcast) fetch their weights when they first run, which this app must not.

| figure | this reading | scikit-image |
|---|---:|---:|
| nuclei of all kinds, F1, centre within half a radius | {ours.f1_half:.3f} | {peer.f1_half:.3f} |
| the same within one radius | {ours.f1_whole:.3f} | {peer.f1_whole:.3f} |
| invasive tumour cells met by a cell that counts | {ours.met:.1%} | {peer.met:.1%} |
| cells that count and are invasive tumour | {ours.invasive:.1%} | {peer.invasive:.1%} |
| grades of the cells met ({ours.cells} and {peer.cells}), quadratic kappa | {ours.cell_kappa:.3f} | {peer.cell_kappa:.3f} |
| the same, exact | {ours.cell_exact:.1%} | {peer.cell_exact:.1%} |
| score of the field, quadratic kappa | {ours.field_kappa:.3f} | {peer.field_kappa:.3f} |
| the same, exact | {_of(ours.exact, ours.scored)} | {_of(peer.exact, peer.scored)} |
| the same, within one step | {_of(ours.within_one, ours.scored)} | {_of(peer.within_one, peer.scored)} |
| fields with too few cells | {ours.fields - ours.scored} | {peer.fields - peer.scored} |
| processor time of a field, median | {ours.milliseconds:.0f} ms | {peer.milliseconds:.0f} ms |

Of nuclei found, {measured.epithelial[0]:.0%} of the epithelial ones count and {measured.epithelial[1]:.0%} of the others are
passed over: nuclear shape and crowding tell no more. What counts is {_kinds(ours)}.

{_confusion("phantom", ours.confusion)}
"""
    if measured.real:
        text += "\n## On real images\nLabels are the slide's or the core's, not the field's. No threshold was set on these.\n"
        for name, fields in measured.real.items():
            text += f"\n### {name}\n{_real(fields)}\n"
    text += _FAILS
    text += f"""
## How to remake it
```sh
{command}
```
"""
    return text


def _words(cuts: Cuts) -> str:
    return (
        f"stained from an amount of {cuts.perceptible:g} over more than {cuts.stained_from:.0%} of the outline; complete from "
        f"{cuts.complete_from:.0%}; moderate where incomplete from {cuts.faint_below:g}; intense, if complete, from "
        f"{cuts.intense_from:g}"
    )


def _of(count: int, n: int) -> str:
    return f"{count} of {n} ({count / max(n, 1):.0%})"


def _kinds(figures: Figures) -> str:
    names = {
        "tumour": "invasive tumour",
        "in_situ": "tumour in situ",
        "normal": "normal epithelium",
        "none": "nothing drawn",
    }
    told = sorted(figures.kinds.items(), key=lambda item: -item[1])
    return ", ".join(f"{share:.1%} {names.get(kind, kind)}" for kind, share in told if share >= 0.0005)


def _confusion(what: str, table: Sequence[Sequence[int]]) -> str:
    rows = "\n".join(
        f"| {label} | {' | '.join(str(count) for count in row)} |" for label, row in zip(CLASSES, table, strict=True)
    )
    return f"| {what}'s label \\ read | {' | '.join(CLASSES)} |\n|---|---:|---:|---:|---:|\n{rows}"


def _real(fields: Sequence[RealField]) -> str:
    scored = [(CLASSES.index(f.label), CLASSES.index(f.score)) for f in fields if f.score]
    apart = np.array([abs(a - b) for a, b in scored])
    rows = "\n".join(
        f"| {f.name} | {f.label} | {f.score or 'none'} | {f.cells} | {' / '.join(str(count) for count in f.counts)} |"
        for f in fields
    )
    return (
        f"{_of(int((apart == 0).sum()), len(scored))} as the label, {_of(int((apart <= 1).sum()), len(scored))} within one step."
        "\n\n"
        f"| image | label | read | cells | none / faint / moderate / intense |\n|---|---|---|---:|---|\n{rows}"
    )
