"""Predictions without a server: the best model's ONNX file, asked by HTTP through Lambda.

wiring   makes boto3's clients, and puts the parts together
service  answers a request
request  what a request asks for: its images, in its body or in the bucket, and how many views
current  the best model's files, loaded again only when they are others
model    a model that onnxruntime runs
http     answers and problems as API Gateway takes them
"""
