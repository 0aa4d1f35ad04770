"""Seedbed's training container: prepare, train and evaluate image classifiers built on a frozen ImageNet backbone."""
