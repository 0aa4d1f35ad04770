"""Projects how long the founding article's best job would take here, as it takes too long to run."""

from .results import Training

ARTICLE_ACCURACY = 0.8376
TIMES_SHORTER = 50
EPOCHS, BATCH, EPOCH_IMAGES = 300, 28, 3800
STEPS_UNDER_KERAS_2 = 5
FEWEST_IMAGES = EPOCHS * STEPS_UNDER_KERAS_2 * BATCH
MOST_IMAGES = EPOCHS * EPOCH_IMAGES


def seconds_for(images: int, founding: Training) -> float:
    return images / founding.images_per_second
