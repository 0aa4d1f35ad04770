"""What both forms of the card say in words of our own."""

from markupsafe import Markup

PURPOSE = Markup("It names what a photograph of a seedling shows, out of the labels it was trained on.")
USES = Markup(
    "Photographs like those it was trained on. Its answers are suggestions: a person, or a rule that a person set, "
    "decides what follows from them, and looks where its confidence is low."
)
NOT_FOR = Markup(
    "One of its labels is always the answer: a plant of any other kind, or no plant at all, gets a wrong one, "
    "sometimes with high confidence. It must not decide alone what is poisonous, edible, protected, pulled out or "
    "sprayed."
)
FACTORS = Markup(
    "Other cameras, light, backgrounds and stages of growth than the training photographs', and several plants in one "
    "photograph, lower its accuracy. Labels with few photographs are learnt, and measured, less well."
)
RISK = Markup("Nobody has rated it yet: the risk lies in what its answers are used for.")
SPLIT = Markup(
    "About 70 % of the photographs are to train on, 15 % to validate and 15 % to test, by their pixels: a photograph "
    "never changes sides, and those that look alike are on one side. Networks, views and temperature were chosen on "
    "the validation split; on the test split nothing was learnt or chosen. On photographs taken elsewhere or otherwise "
    "than these, the model may do worse than the scores say."
)
CALIBRATION = Markup(
    "Its confidence is corrected by one temperature, fitted on the validation split. The expected calibration error is "
    "how far confidence is, on average, from the share of right answers, over fifteen steps."
)
INTERVAL = Markup("The interval is Wilson's, at 95 %.")
_LITE = Markup("Training started from EfficientNet-Lite's ImageNet weights, under the Apache License 2.0.")
_APPLICATION = Markup(
    "Training started from ImageNet weights that come with keras.applications: see there for the network's licence."
)


def licence(backbone: str) -> Markup:
    """Under what licence the pretrained weights of the backbone are."""
    return _LITE if backbone.startswith("efficientnet-lite") else _APPLICATION
