"""The metrics that SageMaker's built-in algorithms report, known by the repository of their image.

The expressions of xgboost, linear-learner, object-detection and ipinsights are those of AWS's own answers. For the
others AWS documents the names alone; their expressions follow the lines of their logs.
"""

from collections.abc import Mapping

from ..containers.images import repository_of
from ..kinds import Body

NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
QUALITY = r"#quality_metric: host=\S+, "
PROGRESS = {
    "train:progress": r"#progress_metric: host=\S+, completed (\S+) %",
    "train:throughput": r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
}


def _xgboost() -> dict[str, str]:
    shared = (
        "accuracy auc aucpr balanced_accuracy cox-nloglik error f1 f1_binary f1_macro gamma-deviance gamma-nloglik"
        " logloss mae map mape merror mlogloss mse ndcg poisson-nloglik precision precision_macro precision_micro r2"
        " recall recall_macro recall_micro rmse rmsle tweedie-nloglik"
    )
    return {
        f"{data}:{name}": rf".*\[[0-9]+\].*#011{data}-{name}:{NUMBER}.*"
        for name in shared.split()
        for data in ("train", "validation")
    }


def _linear_learner() -> dict[str, str]:
    scores = (
        "binary_classification_accuracy dcg macro_precision macro_recall multiclass_accuracy precision recall"
        " roc_auc_score"
    )
    found = dict(PROGRESS)
    for data in ("train", "validation", "test"):
        found |= {f"{data}:{name}": rf"{QUALITY}{data} {name} <score>=(\S+)" for name in scores.split()}
        found |= {f"{data}:{name}": rf"{QUALITY}{data} {name} <loss>=(\S+)" for name in ("absolute_loss", "mse")}
        found |= {
            f"{data}:{kind}_f_beta": rf"{QUALITY}{data} {kind}_f_\S+ <score>=(\S+)" for kind in ("binary", "macro")
        }
        found[f"{data}:multiclass_top_k_accuracy"] = rf"{QUALITY}{data} multiclass_top_k_accuracy_\S+ <score>=(\S+)"
    for data in ("train", "validation"):
        found[f"{data}:objective_loss"] = rf"{QUALITY}epoch=\S+, {data} \S+_objective <loss>=(\S+)"
        found[f"{data}:objective_loss:final"] = rf"{QUALITY}{data} \S+_objective <loss>=(\S+)"
    found["test:objective_loss"] = rf"{QUALITY}test \S+_objective <loss>=(\S+)"
    return found


def _quality(names: str) -> dict[str, str]:
    """Metrics in lines such as `#quality_metric: host=algo-1, epoch=0, validation accuracy <score>=(0.25)`."""
    found = dict(PROGRESS)
    for name in names.split():
        data, _, metric = name.partition(":")
        found[name] = rf"{QUALITY}(?:epoch=\S+, )?(?:batch=\S+ )?{data} {metric} <(?:score|loss)>=\(?([^\s()]+)"
    return found


def _object_detection() -> dict[str, str]:
    return {
        **PROGRESS,
        "train:smooth_l1": rf"{QUALITY}epoch=\S+, batch=\S+ train smooth_l1 <loss>=(\S+)",
        "train:cross_entropy": rf"{QUALITY}epoch=\S+, batch=\S+ train cross_entropy <loss>=(\S+)",
        "validation:mAP": rf"{QUALITY}epoch=\S+, validation mAP <score>=\((\S+)\)",
    }


def _ipinsights() -> dict[str, str]:
    kinds = {"binary_classification_accuracy": "score", "binary_classification_cross_entropy": "loss"}
    found = {
        **PROGRESS,
        "validation:discriminator_auc": rf"{QUALITY}epoch=\S+, validation discriminator_auc <score>=(\S+)",
    }
    for name, kind in kinds.items():
        found[f"train:{name}"] = rf"{QUALITY}epoch=\S+, batch=\S+ train {name} <{kind}>=(\S+)"
        found[f"train:{name}:epoch"] = rf"{QUALITY}epoch=\S+, train {name} <{kind}>=(\S+)"
    return found


XGBOOST = _xgboost()
ALGORITHMS: Mapping[str, Mapping[str, str]] = {
    "xgboost": XGBOOST,
    "sagemaker-xgboost": XGBOOST,
    "linear-learner": _linear_learner(),
    "image-classification": _quality("train:accuracy validation:accuracy"),
    "object-detection": _object_detection(),
    "semantic-segmentation": _quality("train:loss validation:mIOU validation:pixel_accuracy"),
    "blazingtext": {
        "train:mean_rho": rf"mean_rho: {NUMBER}",
        "train:accuracy": rf"#train_accuracy: {NUMBER}",
        "validation:accuracy": rf"#validation_accuracy: {NUMBER}",
    },
    "factorization-machines": _quality(
        "test:rmse test:binary_classification_accuracy test:binary_classification_cross_entropy test:binary_f_beta"
    ),
    "forecasting-deepar": _quality("test:RMSE test:mean_wQuantileLoss train:final_loss train:loss"),
    "ipinsights": _ipinsights(),
    "kmeans": _quality("test:msd test:ssd train:msd"),
    "knn": _quality("test:accuracy test:mse"),
    "lda": _quality("test:pwll"),
    "ntm": _quality("validation:total_loss"),
    "object2vec": _quality(
        "test:accuracy test:cross_entropy test:mean_squared_error"
        " validation:accuracy validation:cross_entropy validation:mean_squared_error"
    ),
    "pca": dict(PROGRESS),
    "randomcutforest": _quality("test:f1"),
    "seq2seq": {
        f"validation:{name}": rf"(?i:validation[- ]{name})(?: <(?:score|loss)>)?=\(?{NUMBER}"
        for name in ("accuracy", "bleu", "perplexity")
    },
}


def fill(specification: Body) -> None:
    """Fills in the MetricDefinitions of a built-in algorithm, unless the request has its own."""
    known = ALGORITHMS.get(repository_of(specification.get("TrainingImage", "")), {})
    if known and not specification.get("MetricDefinitions"):
        specification["MetricDefinitions"] = [{"Name": name, "Regex": regex} for name, regex in known.items()]
