"""Seedbed's training container: prepares, trains, evaluates and serves classifiers on pretrained backbones."""
