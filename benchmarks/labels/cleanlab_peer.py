"""What cleanlab lists, run by an interpreter that has cleanlab and scikit-learn: reads a .npz, prints JSON."""

import json
import sys
import time
from typing import Any

import cleanlab
import numpy as np
import sklearn
from cleanlab.filter import find_label_issues
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(path: str, own_classifier: bool) -> None:
    given = np.load(path)
    features, labels, probabilities = given["features"].astype(np.float32), given["labels"], given["probabilities"]
    same = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence")
    answer = {"versions": f"cleanlab {cleanlab.__version__}, scikit-learn {sklearn.__version__}", "same": same.tolist()}
    if own_classifier:
        answer |= with_logistic_regression(features, labels)
    sys.stdout.write(json.dumps(answer) + "\n")


def with_logistic_regression(features: Any, labels: Any) -> dict[str, Any]:
    """What cleanlab lists as its documentation has it: on probabilities from folds of logistic regression."""
    started = time.process_time()
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=50))
    own = cross_val_predict(classifier, features, labels, cv=5, method="predict_proba")
    found = find_label_issues(labels, own, return_indices_ranked_by="self_confidence")
    return {"own": found.tolist(), "seconds": time.process_time() - started}


if __name__ == "__main__":
    main(sys.argv[1], own_classifier=sys.argv[2:] == ["folds"])
