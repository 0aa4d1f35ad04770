"""The statements that both forms of the card share."""

from markupsafe import Markup

PURPOSE = Markup("It classifies a photograph of a seedling as one of the labels that it was trained on.")
USES = Markup(
    "Photographs like those it was trained on. Its answers are suggestions: a person, or a rule that a person set, "
    "decides what to do, and checks the photographs with a low confidence."
)
NOT_FOR = Markup(
    "The answer is always one of its labels: a plant of any other kind, or no plant at all, gets a wrong one. What "
    "seedbed answers says then that it is not sure: for most things that are not such photographs, but seldom for "
    "plants of another kind. It must not decide alone what is poisonous, edible, protected, pulled out or "
    "sprayed."
)
FACTORS = Markup(
    "Other cameras, light, backgrounds and growth stages than in the training photographs, and several plants in one "
    "photograph, lower its accuracy. Labels with few photographs are learnt and measured less well."
)
RISK = Markup("Nobody has rated it yet: the risk lies in what its answers are used for.")
SPLIT = Markup(
    "About 70% of the photographs are for training, 15% for validation and 15% for testing. The split follows from "
    "the pixels: a photograph never changes its split, and similar ones share one. Networks, views and temperature "
    "were chosen on the validation split; the test split was used only for scoring. On photographs taken elsewhere or "
    "in other ways, the model may do worse than the scores say."
)
CALIBRATION = Markup(
    "Its confidence is corrected by one temperature, fitted on the validation photographs as they are and changed. The "
    "expected calibration error is "
    "the mean difference between confidence and the share of correct answers, over fifteen bins."
)
WHEN_SURE = Markup(
    "The threshold is the lowest confidence from which on the upper limit of the error rate, at 95%, is low enough on "
    "validation photographs as they are and changed, and the rate itself on the changed ones. A photograph is unlike "
    "those that it learnt from if its features are farther from every label's than those of nearly all validation "
    "photographs; the network's own probabilities don't show it. seedbed predict, seedbed serve and POST /predictions "
    "say of each answer whether it is sure. Figures under changes are of a single view, and of other ones than it was "
    "fitted on."
)
PREPROCESSING = Markup(
    "Turn the photograph upright by its EXIF orientation, make it 8-bit RGB, and squeeze the whole of it into a square "
    "of image_size pixels a side, bicubic. The values stay 0 to 255: the network scales them itself. Average the "
    "logarithms of the probabilities over the views, which are turned and mirrored copies of the square."
)
CHANGES = Markup(
    "An even sample of the test photographs, as another camera, program, light or frame might have made them, in a "
    "single view. The figure under changes is the mean over all of them."
)
INTERVAL = Markup("The interval is Wilson's, at 95%.")
_LITE = Markup("Training started from EfficientNet-Lite's ImageNet weights, under the Apache License 2.0.")
_APPLICATION = Markup(
    "Training started from ImageNet weights of keras.applications: see its documentation for the network's licence."
)


def licence(backbone: str) -> Markup:
    """A sentence with the licence of the backbone's pretrained weights."""
    return _LITE if backbone.startswith("efficientnet-lite") else _APPLICATION
