"""Every action of the window, declared once: menus, tool bar, shortcut sheet and command search are all made from this."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QPalette

from her2viewer.gui.icons import themed_icon
from her2viewer.imaging.stain_views import StainView


class ActionId(StrEnum):
    """The name of an action in the code and in tests."""

    OPEN_PAIR = "open_pair"
    OPEN_DEMO = "open_demo"
    SWAP = "swap"
    EXPORT = "export"
    BATCH = "batch"
    PREFERENCES = "preferences"
    QUIT = "quit"
    FIT = "fit"
    ONE_TO_ONE = "one_to_one"
    ZOOM_IN = "zoom_in"
    ZOOM_OUT = "zoom_out"
    PAN_LEFT = "pan_left"
    PAN_RIGHT = "pan_right"
    PAN_UP = "pan_up"
    PAN_DOWN = "pan_down"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    TURN_A_LITTLE_LEFT = "turn_a_little_left"
    TURN_A_LITTLE_RIGHT = "turn_a_little_right"
    FLIP = "flip"
    UPRIGHT = "upright"
    OVERVIEW_MAP = "overview_map"
    SHOW_ORIGINAL = "show_original"
    SHOW_HAEMATOXYLIN = "show_haematoxylin"
    SHOW_SECOND = "show_second"
    SHOW_RESIDUAL = "show_residual"
    STAIN_VECTORS = "stain_vectors"
    LINK = "link"
    SIDE_BY_SIDE = "side_by_side"
    FLICKER = "flicker"
    SWIPE = "swipe"
    BLEND = "blend"
    REGISTER = "register"
    REGISTER_BENT = "register_bent"
    LANDMARKS = "landmarks"
    LOCK_OFFSET = "lock_offset"
    UNDO_REGISTRATION = "undo_registration"
    NUDGE_LEFT = "nudge_left"
    NUDGE_RIGHT = "nudge_right"
    NUDGE_UP = "nudge_up"
    NUDGE_DOWN = "nudge_down"
    NUDGE_ANTICLOCKWISE = "nudge_anticlockwise"
    NUDGE_CLOCKWISE = "nudge_clockwise"
    SCORE = "score"
    CANCEL = "cancel"
    OVERLAY = "overlay"
    MORE_OPACITY = "more_opacity"
    LESS_OPACITY = "less_opacity"
    NEXT_CLASS = "next_class"
    PREVIOUS_CLASS = "previous_class"
    QUESTION_MAP = "question_map"
    UNTRAINED_MAP = "untrained_map"
    READ_MEMBRANES = "read_membranes"
    SHOW_CELLS = "show_cells"
    WHAT_IF = "what_if"
    DRAW_RECTANGLE = "draw_rectangle"
    DRAW_ELLIPSE = "draw_ellipse"
    DRAW_POLYGON = "draw_polygon"
    DRAW_FREE_HAND = "draw_free_hand"
    UNDO = "undo"
    REDO = "redo"
    DELETE_FIELD = "delete_field"
    SCORE_FIELD = "score_field"
    SCORE_OUTDATED = "score_outdated"
    WHOLE_IMAGE = "whole_image"
    GRID = "grid"
    PAUSE_GRID = "pause_grid"
    IMPORT_FIELDS = "import_fields"
    EXPORT_FIELDS = "export_fields"
    LOAD_MAP = "load_map"
    SAVE_MAP = "save_map"
    THEME_SYSTEM = "theme_system"
    THEME_LIGHT = "theme_light"
    THEME_DARK = "theme_dark"
    FIND_COMMAND = "find_command"
    SHORTCUTS = "shortcuts"
    COPY_MESSAGE = "copy_message"
    MODEL_CARD = "model_card"
    ABOUT = "about"
    OPEN_FOLDER = "open_folder"
    NEXT_CASE = "next_case"
    PREVIOUS_CASE = "previous_case"
    FILTER_CASES = "filter_cases"
    OBJECTIVE_2_5 = "objective_2_5"
    OBJECTIVE_5 = "objective_5"
    OBJECTIVE_10 = "objective_10"
    OBJECTIVE_20 = "objective_20"
    OBJECTIVE_40 = "objective_40"
    RULE_1 = "rule_1"
    RULE_2 = "rule_2"
    RULE_3 = "rule_3"
    MATCH_RESOLUTION = "match_resolution"
    TYPE_SCALE = "type_scale"
    RULER = "ruler"
    CLEAR_RULERS = "clear_rulers"
    IMAGE_INFORMATION = "image_information"
    PANEL_CASES = "panel_cases"
    PANEL_ANSWER = "panel_answer"
    PANEL_FIELDS = "panel_fields"
    RESET_PANELS = "reset_panels"
    FULL_SCREEN = "full_screen"
    TISSUE_ALONE = "tissue_alone"


class Menu(StrEnum):
    """The menus, in their order."""

    FILE = "&File"
    VIEW = "&View"
    COMPARE = "&Compare"
    FIELDS = "F&ields"
    SCORE = "&Score"
    HELP = "&Help"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action. `words` are what somebody might type who does not know its name; `group` begins a new menu section."""

    id: ActionId
    menu: Menu
    text: str
    icon: str
    keys: tuple[str, ...]
    tip: str
    words: str = ""
    checkable: bool = False
    exclusive: str = ""
    section: bool = False
    toolbar: int = 0
    """The tool bar's group, 1 from the left; 0 is not in the tool bar."""
    short: str = ""
    """What the tool bar says, where the text is too long for it."""
    submenu: str = ""
    """The submenu it stands in, where its menu has one for it."""


A, M = ActionId, Menu
SPECS: Final[tuple[ActionSpec, ...]] = (
    ActionSpec(A.OPEN_PAIR, M.FILE, "Open pair...", "folder-open", ("Ctrl+O",),
               "Open the H&E and the HER2 IHC image of the same tissue", "load file image slide picture he ihc",
               toolbar=1, short="Open"),
    ActionSpec(A.OPEN_FOLDER, M.FILE, "Open folder of pairs...", "folders", ("Ctrl+Shift+O",),
               "List the pairs of a folder beside the panes, to page through them",
               "cases load directory worklist queue many browse he ihc"),
    ActionSpec(A.OPEN_DEMO, M.FILE, "Open the demo pair", "flask", ("Ctrl+D",),
               "Open the pair that ships with the app", "example sample phantom try tutorial", toolbar=1, short="Demo"),
    ActionSpec(A.SWAP, M.FILE, "Swap stains", "arrows-left-right", ("X",),
               "Exchange the H&E and the IHC image", "wrong side mixed up exchange reverse left right"),
    ActionSpec(A.BATCH, M.FILE, "Score a folder...", "stack", ("Ctrl+B",),
               "Score all pairs of a folder and write tables and overlays",
               "batch many folder cohort table csv excel spreadsheet", section=True, toolbar=1, short="Batch"),
    ActionSpec(A.EXPORT, M.FILE, "Export picture...", "export", ("Ctrl+E",),
               "Save the annotated picture at full resolution", "save image figure paper slide tiff png jpeg result json",
               toolbar=1, short="Export"),
    ActionSpec(A.IMPORT_FIELDS, M.FILE, "Import fields...", "download-simple", ("Ctrl+I",),
               "Open the annotations of a GeoJSON file, for example from QuPath",
               "qupath geojson load annotation regions roi", section=True),
    ActionSpec(A.EXPORT_FIELDS, M.FILE, "Export fields...", "upload-simple", ("Ctrl+Shift+E",),
               "Save the fields as GeoJSON that QuPath opens", "qupath geojson save annotation regions roi tiles"),
    ActionSpec(A.PREFERENCES, M.FILE, "Preferences...", "gear-six", ("Ctrl+,",),
               "Device, precision, theme and model", "settings options gpu cuda cpu bf16 model package", section=True),
    ActionSpec(A.QUIT, M.FILE, "Quit", "sign-out", ("Ctrl+Q",), "Close HER2 Viewer", "exit close leave", section=True),
    ActionSpec(A.FIT, M.VIEW, "Fit", "frame-corners", ("F", "Ctrl+0"),
               "Show the whole field", "zoom all overview reset whole", toolbar=2),
    ActionSpec(A.ONE_TO_ONE, M.VIEW, "1:1", "number-square-one", ("Ctrl+1",),
               "One image pixel on one screen pixel", "zoom actual size 100% full resolution magnification", toolbar=2),
    ActionSpec(A.OBJECTIVE_2_5, M.VIEW, "Objective 2.5x", "magnifying-glass", ("Alt+1",),
               "As through a 2.5x objective: 4 µm a pixel",
               "zoom magnification overview scanning low power", toolbar=2, short="2.5x", submenu="Objective"),
    ActionSpec(A.OBJECTIVE_5, M.VIEW, "Objective 5x", "magnifying-glass", ("Alt+2",),
               "As through a 5x objective: 2 µm a pixel",
               "zoom magnification low power", toolbar=2, short="5x", submenu="Objective"),
    ActionSpec(A.OBJECTIVE_10, M.VIEW, "Objective 10x", "magnifying-glass", ("Alt+3",),
               "As through a 10x objective: 1 µm a pixel",
               "zoom magnification medium power", toolbar=2, short="10x", submenu="Objective"),
    ActionSpec(A.OBJECTIVE_20, M.VIEW, "Objective 20x", "magnifying-glass", ("Alt+4",),
               "As through a 20x objective: 0.5 µm a pixel",
               "zoom magnification high power", toolbar=2, short="20x", submenu="Objective"),
    ActionSpec(A.OBJECTIVE_40, M.VIEW, "Objective 40x", "magnifying-glass", ("Alt+5",),
               "As through a 40x objective: 0.25 µm a pixel",
               "zoom magnification high power hpf", toolbar=2, short="40x", submenu="Objective"),
    ActionSpec(A.RULE_3, M.VIEW, "Magnification rule: 5x, membranes of 3+", "ruler", (),
               "Membranes of 3+ (about 2.14 µm wide) show from 5x already",
               "her2 membrane width strong complete score objective",
               submenu="Magnification rule"),
    ActionSpec(A.RULE_2, M.VIEW, "Magnification rule: 10x, membranes of 2+", "ruler", (),
               "Membranes of 2+ (about 1.0 µm wide) show from 10x",
               "her2 membrane width weak moderate equivocal score objective",
               submenu="Magnification rule"),
    ActionSpec(A.RULE_1, M.VIEW, "Magnification rule: 40x, faint membranes of 1+", "ruler", (),
               "Faint membranes of 1+ (about 0.64 µm wide) show only at 40x",
               "her2 membrane width incomplete low score objective",
               submenu="Magnification rule"),
    ActionSpec(A.ZOOM_IN, M.VIEW, "Zoom in", "magnifying-glass-plus", ("+", "="),
               "Twice as close", "closer magnify objective larger", toolbar=2),
    ActionSpec(A.ZOOM_OUT, M.VIEW, "Zoom out", "magnifying-glass-minus", ("-",),
               "Half as close", "farther smaller objective", toolbar=2),
    ActionSpec(A.PAN_LEFT, M.VIEW, "Move left", "arrow-left", ("Shift+Left",), "Move to the left", "pan scroll", section=True),
    ActionSpec(A.PAN_RIGHT, M.VIEW, "Move right", "arrow-right", ("Shift+Right",), "Move to the right", "pan scroll"),
    ActionSpec(A.PAN_UP, M.VIEW, "Move up", "arrow-up", ("Shift+Up",), "Move up", "pan scroll"),
    ActionSpec(A.PAN_DOWN, M.VIEW, "Move down", "arrow-down", ("Shift+Down",), "Move down", "pan scroll"),
    ActionSpec(A.TURN_LEFT, M.VIEW, "Rotate left", "arrow-counter-clockwise", ("Ctrl+Shift+R",),
               "Turn the tissue by 90 degrees to the left", "rotation turn anticlockwise counterclockwise orientation",
               section=True),
    ActionSpec(A.TURN_RIGHT, M.VIEW, "Rotate right", "arrow-clockwise", ("Ctrl+R",),
               "Turn the tissue by 90 degrees to the right", "rotation turn clockwise orientation"),
    ActionSpec(A.TURN_A_LITTLE_LEFT, M.VIEW, "Rotate a little left", "arrow-arc-left", ("Alt+Left",),
               "Turn the tissue by 15 degrees to the left", "rotation turn angle align tilt"),
    ActionSpec(A.TURN_A_LITTLE_RIGHT, M.VIEW, "Rotate a little right", "arrow-arc-right", ("Alt+Right",),
               "Turn the tissue by 15 degrees to the right", "rotation turn angle align tilt"),
    ActionSpec(A.FLIP, M.VIEW, "Flip left to right", "square-half", ("Shift+F",),
               "Mirror the tissue, as if the slide lay upside down", "mirror reverse side turn over horizontal"),
    ActionSpec(A.UPRIGHT, M.VIEW, "Upright", "arrow-line-up", ("U",),
               "Neither turned nor mirrored: as the image lies in its file", "reset rotation flip orientation straight original"),
    ActionSpec(A.OVERVIEW_MAP, M.VIEW, "Overview map", "map-trifold", ("N",),
               "Show the whole slide small in a corner, with the place you look at", "navigator thumbnail minimap where am i",
               True, section=True),
    ActionSpec(A.SHOW_ORIGINAL, M.VIEW, "Original colours", "number-square-one", ("1",),
               "Show the tissue as it was scanned", "stain view reset normal rgb", True, "stain view", section=True),
    ActionSpec(A.SHOW_HAEMATOXYLIN, M.VIEW, "Haematoxylin alone", "number-square-two", ("2",),
               "Show the haematoxylin of both images, not quantitative",
               "hematoxylin nuclei blue stain view separation deconvolution unmix channel h only", True, "stain view"),
    ActionSpec(A.SHOW_SECOND, M.VIEW, "Eosin or DAB alone", "number-square-three", ("3",),
               "Show the eosin of the H&E and the DAB of the IHC, not quantitative",
               "brown membrane her2 pink stain view separation deconvolution unmix channel", True, "stain view"),
    ActionSpec(A.SHOW_RESIDUAL, M.VIEW, "Residual", "number-square-four", ("4",),
               "Show what neither dye explains: pigment, ink, folds",
               "rest remainder stain view separation deconvolution unmix channel", True, "stain view"),
    ActionSpec(A.STAIN_VECTORS, M.VIEW, "Stain vectors...", "eyedropper", (),
               "Choose, estimate or type the vectors of the stain views",
               "deconvolution macenko ruifrok johnston optical density"),
    ActionSpec(A.LINK, M.VIEW, "Link panes", "link", ("L",),
               "Both panes show the same place of the tissue", "sync synchronise lock together side by side", True,
               section=True, toolbar=3, short="Link"),
    ActionSpec(A.MATCH_RESOLUTION, M.VIEW, "Match the resolution", "equals", ("Ctrl+M",),
               "Both panes at the same micrometres a pixel",
               "same scale magnification zoom both panes equal objective"),
    ActionSpec(A.RULER, M.VIEW, "Ruler", "ruler", ("M",),
               "Drag over the tissue to measure; the membrane widths of 1+, 2+ and 3+ stand beside",
               "measure distance length micrometre micron size membrane width",
               True, section=True, toolbar=3, short="Ruler"),
    ActionSpec(A.CLEAR_RULERS, M.VIEW, "Remove all rulers", "eraser", (), "Remove the rulers of the images on screen",
               "measure clear delete length"),
    ActionSpec(A.TYPE_SCALE, M.VIEW, "Type the pixel size...", "text-t", (),
               "Say how many micrometres a pixel is, where the file does not",
               "scale mpp micron calibrate calibration resolution um objective"),
    ActionSpec(A.IMAGE_INFORMATION, M.VIEW, "Image information", "info", ("I",),
               "The slide's label and what the file says of itself",
               "properties metadata scanner label barcode macro details"),
    ActionSpec(A.NEXT_CASE, M.VIEW, "Next case", "caret-down", ("J",),
               "Open the next case of the list (Right, Down and Page Down too)",
               "page forward following pair worklist", section=True),
    ActionSpec(A.PREVIOUS_CASE, M.VIEW, "Previous case", "caret-up", ("K",),
               "Open the case before (Left, Up and Page Up too)",
               "page back last pair worklist"),
    ActionSpec(A.FILTER_CASES, M.VIEW, "Filter the cases", "funnel", ("Ctrl+F",),
               "Find a case by its name, label or state",
               "search find list worklist"),
    ActionSpec(A.PANEL_CASES, M.VIEW, "Panel: cases", "list-bullets", ("F2",), "Show or hide the list of cases",
               "side bar dock worklist thumbnails", True, section=True, submenu="Panels"),
    ActionSpec(A.PANEL_ANSWER, M.VIEW, "Panel: score and map", "chart-bar-horizontal", ("F3",),
               "Show or hide the score and the map's settings",
               "side bar dock explain probabilities", True, submenu="Panels"),
    ActionSpec(A.PANEL_FIELDS, M.VIEW, "Panel: fields", "table", ("F4",), "Show or hide the table of fields",
               "side bar dock regions annotations", True, submenu="Panels"),
    ActionSpec(A.RESET_PANELS, M.VIEW, "Panels at their first places", "layout", (),
               "Bring every panel back to where it was at first",
               "reset restore default dock lost", submenu="Panels"),
    ActionSpec(A.FULL_SCREEN, M.VIEW, "Full screen", "arrows-out", ("F11",),
               "Use the whole screen; Esc leaves it", "maximise large monitor", True),
    ActionSpec(A.TISSUE_ALONE, M.VIEW, "Tissue alone", "frame-corners", ("Shift+F11",),
               "Hide tool bar and panels; Esc brings them back",
               "distraction focus hide panels chrome zen", True),
    ActionSpec(A.SIDE_BY_SIDE, M.COMPARE, "Side by side", "columns", ("F5",), "Each image in a pane of its own",
               "compare two panes split normal", True, "comparison", toolbar=3),
    ActionSpec(A.FLICKER, M.COMPARE, "Flicker", "lightning", ("F6",),
               "H&E and IHC by turns in one place (hold Tab to see the other one)",
               "compare blink alternate toggle switch", True, "comparison", toolbar=3),
    ActionSpec(A.SWIPE, M.COMPARE, "Swipe curtain", "arrows-out-line-horizontal", ("F7",),
               "H&E left and IHC right of a line that can be dragged", "compare slider divider split wipe",
               True, "comparison", toolbar=3, short="Swipe"),
    ActionSpec(A.BLEND, M.COMPARE, "Blend", "intersect", ("F8",), "H&E and IHC through each other",
               "compare mix fade overlay transparent opacity fuse", True, "comparison", toolbar=3),
    ActionSpec(A.REGISTER, M.COMPARE, "Register", "magic-wand", ("G",),
               "Find by itself how the H&E lies on the IHC", "align match automatic registration overlay fit",
               section=True, toolbar=3),
    ActionSpec(A.REGISTER_BENT, M.COMPARE, "Register and bend", "waves", ("Alt+G",),
               "Register, and bend the H&E to tissue that was stretched or torn",
               "thin plate spline elastic deformable warp non-rigid align"),
    ActionSpec(A.LANDMARKS, M.COMPARE, "Set landmarks", "crosshair", ("Shift+K",),
               "Click the same spots in both images; two or more align them",
               "points align registration manual pins control fiducial", True),
    ActionSpec(A.LOCK_OFFSET, M.COMPARE, "Lock the offset", "lock", ("Shift+L",),
               "Keep the images as the panes show them now: unlink, move one to where it fits, then lock",
               "align by hand manual registration shift keep link"),
    ActionSpec(A.UNDO_REGISTRATION, M.COMPARE, "Undo registration", "arrow-counter-clockwise", ("Ctrl+Shift+G",),
               "Go back to the alignment before this one", "revert reset alignment"),
    ActionSpec(A.NUDGE_LEFT, M.COMPARE, "Nudge the H&E left", "arrow-left", ("Ctrl+Left",),
               "Move the H&E over the IHC by one screen pixel", "align shift fine by hand", section=True),
    ActionSpec(A.NUDGE_RIGHT, M.COMPARE, "Nudge the H&E right", "arrow-right", ("Ctrl+Right",),
               "Move the H&E over the IHC by one screen pixel", "align shift fine by hand"),
    ActionSpec(A.NUDGE_UP, M.COMPARE, "Nudge the H&E up", "arrow-up", ("Ctrl+Up",),
               "Move the H&E over the IHC by one screen pixel", "align shift fine by hand"),
    ActionSpec(A.NUDGE_DOWN, M.COMPARE, "Nudge the H&E down", "arrow-down", ("Ctrl+Down",),
               "Move the H&E over the IHC by one screen pixel", "align shift fine by hand"),
    ActionSpec(A.NUDGE_ANTICLOCKWISE, M.COMPARE, "Turn the H&E anticlockwise", "arrow-counter-clockwise",
               ("Ctrl+PgUp",), "Turn the H&E over the IHC by a quarter of a degree", "align rotate fine by hand"),
    ActionSpec(A.NUDGE_CLOCKWISE, M.COMPARE, "Turn the H&E clockwise", "arrow-clockwise",
               ("Ctrl+PgDown",), "Turn the H&E over the IHC by a quarter of a degree", "align rotate fine by hand"),
    ActionSpec(A.THEME_SYSTEM, M.VIEW, "Theme: as the system", "circle-half", (), "Light or dark as the desktop is",
               "colour appearance night", True, "theme", section=True),
    ActionSpec(A.THEME_LIGHT, M.VIEW, "Theme: light", "sun", (), "Light panels", "colour appearance bright day", True, "theme"),
    ActionSpec(A.THEME_DARK, M.VIEW, "Theme: dark", "moon", (), "Dark panels", "colour appearance night", True, "theme"),
    ActionSpec(A.DRAW_RECTANGLE, M.FIELDS, "Draw a rectangle", "rectangle", ("R",),
               "Drag a rectangle on the tissue; Shift keeps it square", "field box roi region annotation annotate mark",
               True, toolbar=4, short="Rectangle"),
    ActionSpec(A.DRAW_ELLIPSE, M.FIELDS, "Draw an ellipse", "circle", ("E",),
               "Drag an ellipse on the tissue; Shift keeps it a circle", "field circle roi region annotation annotate mark",
               True, toolbar=4, short="Ellipse"),
    ActionSpec(A.DRAW_POLYGON, M.FIELDS, "Draw a polygon", "polygon", ("P",),
               "Click corner by corner; Return or a double click closes it", "field outline roi region annotation annotate",
               True, toolbar=4, short="Polygon"),
    ActionSpec(A.DRAW_FREE_HAND, M.FIELDS, "Draw free-hand", "scribble-loop", ("D",),
               "Draw an outline with the button held", "field lasso pen freehand pencil roi region annotation annotate",
               True, toolbar=4, short="Free-hand"),
    ActionSpec(A.UNDO, M.FIELDS, "Undo", "arrow-u-up-left", ("Ctrl+Z",), "Take back what was done to the fields",
               "revert back mistake", section=True),
    ActionSpec(A.REDO, M.FIELDS, "Redo", "arrow-u-up-right", ("Ctrl+Shift+Z", "Ctrl+Y"), "Do again what was taken back",
               "repeat again"),
    ActionSpec(A.DELETE_FIELD, M.FIELDS, "Delete the field", "trash", ("Del",), "Take the selected field away",
               "remove erase annotation"),
    ActionSpec(A.SCORE_FIELD, M.FIELDS, "Score the selected field", "target", ("Shift+S",),
               "Ask the model for the score of the field that is selected", "her2 predict spot region annotation", section=True),
    ActionSpec(A.SCORE_OUTDATED, M.FIELDS, "Score what is outdated again", "arrows-clockwise", (),
               "Fields and score map that another model or another alignment of the H&E made", "stale old renew rescore"),
    ActionSpec(A.WHOLE_IMAGE, M.FIELDS, "Back to the whole image", "arrow-u-left-up", ("Backspace",),
               "Show the score of the whole image again", "return field all"),
    ActionSpec(A.GRID, M.FIELDS, "Score a grid of fields", "grid-four", ("T",),
               "Score the selected region, or the whole image, field by field, to a map",
               "score map heatmap tiles heterogeneity whole slide region batch", section=True),
    ActionSpec(A.PAUSE_GRID, M.FIELDS, "Pause or resume the grid", "pause", ("Shift+T",),
               "Wait after the fields under way, or go on", "stop continue wait go on"),
    ActionSpec(A.LOAD_MAP, M.FIELDS, "Load a score map...", "folder-open", (), "Open a score map that was saved",
               "open grid heatmap"),
    ActionSpec(A.SAVE_MAP, M.FIELDS, "Save the score map...", "floppy-disk", (),
               "Save the score map, so that it can go on another day", "write grid heatmap keep"),
    ActionSpec(A.SCORE, M.SCORE, "Score this field", "play", ("S",),
               "Ask the model for the HER2 score of this field", "her2 predict run analyse classify grade result",
               toolbar=5, short="Score"),
    ActionSpec(A.CANCEL, M.SCORE, "Cancel", "x-circle", ("Esc",), "Stop what is being worked on", "stop abort halt"),
    ActionSpec(A.OVERLAY, M.SCORE, "Show the map", "eye", ("O",),
               "Show where the model found evidence (hold Space to look beneath)",
               "overlay heatmap grad-cam gradcam explanation attention saliency hide", True, section=True,
               toolbar=5, short="Map"),
    ActionSpec(A.MORE_OPACITY, M.SCORE, "More opaque", "plus", ("]",), "Cover more of the tissue",
               "overlay opacity alpha stronger"),
    ActionSpec(A.LESS_OPACITY, M.SCORE, "Less opaque", "minus", ("[",), "Cover less of the tissue",
               "overlay opacity alpha weaker transparent"),
    ActionSpec(A.NEXT_CLASS, M.SCORE, "Map of the next class", "caret-right", (".",),
               "Show the evidence for the next score", "explain why 0 1+ 2+ 3+ class target", section=True),
    ActionSpec(A.PREVIOUS_CLASS, M.SCORE, "Map of the previous class", "caret-left", (",",),
               "Show the evidence for the score before", "explain why 0 1+ 2+ 3+ class target"),
    ActionSpec(A.QUESTION_MAP, M.SCORE, "Question this map", "question", ("Q",),
               "Measure whether the map on screen tells more than chance",
               "trust verify deletion insertion random stability sanity check faithful explanation reliable", section=True),
    ActionSpec(A.UNTRAINED_MAP, M.SCORE, "Map of an untrained network", "shuffle", ("Shift+Q",),
               "Show what the same network draws with random weights, in place of the map",
               "trust random weights sanity check compare untrained chance", True),
    ActionSpec(A.READ_MEMBRANES, M.SCORE, "Read membranes", "circle-dashed", ("Shift+C",),
               "Find the cells of this field and measure their membranes, without the network",
               "second reader count cells grade completeness intensity asco cap her2 measure"),
    ActionSpec(A.SHOW_CELLS, M.SCORE, "Show the cells", "circles-four", ("C",),
               "Draw each cell's membrane over both images, by its grade",
               "membranes contours outlines grades overlay hide", True),
    ActionSpec(A.WHAT_IF, M.SCORE, "What if: vary the DAB", "sliders-horizontal", ("W",),
               "Make the IHC's stain weaker or stronger and see how the score would move",
               "what if intensity strength simulate sensitivity border threshold stain robust counterfactual", True,
               section=True),
    ActionSpec(A.FIND_COMMAND, M.HELP, "Find a command", "magnifying-glass", ("Ctrl+K",),
               "Find any command by what it does", "search palette help how", toolbar=6, short="Ctrl+K"),
    ActionSpec(A.SHORTCUTS, M.HELP, "Keyboard shortcuts", "keyboard", ("F1", "?"), "All keys on one sheet", "help hotkeys"),
    ActionSpec(A.COPY_MESSAGE, M.HELP, "Copy the message", "copy", ("Ctrl+Shift+C",),
               "Copy the message that is shown, for an e-mail or a report", "error warning clipboard"),
    ActionSpec(A.MODEL_CARD, M.HELP, "Model card", "identification-card", (),
               "What the model is, what it was measured on, its limits and what it was not tested on",
               "accuracy training data reliability calibration confidence coverage version hash validation limits", section=True),
    ActionSpec(A.ABOUT, M.HELP, "About HER2 Viewer", "info", (), "Version and licences", "licence version credits"),
)  # fmt: skip

STAIN_VIEW_ACTIONS: Final = {
    StainView.ORIGINAL: A.SHOW_ORIGINAL,
    StainView.HAEMATOXYLIN: A.SHOW_HAEMATOXYLIN,
    StainView.SECOND: A.SHOW_SECOND,
    StainView.RESIDUAL: A.SHOW_RESIDUAL,
}
"""The action that shows each stain view."""
del A, M

HELD_KEYS: Final = (
    ("Space (hold)", "Look beneath the map"),
    ("Wheel", "Zoom where the mouse is"),
    ("Shift + wheel", "Rotate the tissue"),
    ("Drag", "Move the tissue"),
    ("Double click", "Twice as close; on a field: score it"),
    ("Right click", "Score here, a grid of fields, rename, delete"),
    ("Arrows, Page Up, Page Down", "Next or previous case; arrows nudge a selected field"),
    ("Esc", "Drop what is half drawn, lay the tool aside, leave full screen"),
    ("Tab (hold)", "The other image, while flickering"),
)
"""What has no action but belongs on the shortcut sheet."""


def key_words(spec: ActionSpec) -> str:
    """The keys as the system writes them, for example 'Ctrl+O'."""
    return " or ".join(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in spec.keys)


class Findable(Protocol):
    """What can be found by typing: an action, or another command."""

    @property
    def text(self) -> str: ...

    @property
    def tip(self) -> str: ...

    @property
    def words(self) -> str: ...


def matches(thing: Findable, typed: str) -> bool:
    """Whether something is meant by what was typed: every word of it begins a word of its text, tip or search words."""
    return begins(f"{thing.text} {thing.tip} {thing.words}", typed)


def begins(text: str, typed: str) -> bool:
    """Whether every word that was typed begins a word of a text."""
    known = text.lower().replace(":", " ").replace(".", " ").replace(",", " ").split() + text.lower().split()
    return all(any(word.startswith(part) for word in known) for part in typed.lower().split())


def _plain(text: str) -> str:
    """For Qt, to which one & says that the next letter is a key: 'H&E' stays what it is."""
    return text.replace("&", "&&")


def _tip(spec: ActionSpec) -> str:
    return f"{spec.tip} ({key_words(spec)})" if spec.keys else spec.tip


class Actions(QObject):
    """The QActions made from the specs, by id."""

    def __init__(self, palette: QPalette, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions: dict[ActionId, QAction] = {}
        self._reasons: dict[ActionId, str] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in SPECS:
            action = QAction(_plain(spec.text), self)
            action.setObjectName(spec.id)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            action.setToolTip(_tip(spec))
            action.setIconText(_plain(spec.short or spec.text))
            action.setCheckable(spec.checkable)
            if spec.exclusive:
                groups.setdefault(spec.exclusive, QActionGroup(self)).addAction(action)
            self._actions[spec.id] = action
        self.paint(palette)

    def __getitem__(self, action: ActionId) -> QAction:
        return self._actions[action]

    def paint(self, palette: QPalette) -> None:
        """Draws the icons again, in the colours of a theme."""
        for spec in SPECS:
            self._actions[spec.id].setIcon(themed_icon(spec.icon, palette))

    def connect_all(self, handlers: Mapping[ActionId, Callable[[], object]]) -> None:
        """Connects each action to who does it. Raises KeyError where one has nobody."""
        for spec in SPECS:
            handler = handlers[spec.id]
            self._actions[spec.id].triggered.connect(lambda _checked=False, handler=handler: handler())

    def set_enabled(self, enabled: Mapping[ActionId, bool]) -> None:
        for action, on in enabled.items():
            self._actions[action].setEnabled(on)

    def set_reasons(self, reasons: Mapping[ActionId, str]) -> None:
        """Why each of some actions is not possible just now; empty where it is. The tool tip says it, and command search."""
        for spec in SPECS:
            if spec.id in reasons and reasons[spec.id] != self.reason(spec.id):
                self._reasons[spec.id] = reasons[spec.id]
                self._actions[spec.id].setToolTip("\n".join(filter(None, (_tip(spec), reasons[spec.id]))))

    def reason(self, action: ActionId) -> str:
        """Why an action is not possible just now, or empty."""
        return self._reasons.get(action, "")

    def set_checked(self, checked: Mapping[ActionId, bool]) -> None:
        """Shows a state; nobody is triggered."""
        for action, on in checked.items():
            self._actions[action].setChecked(on)
