"""`seedbed deploy` and `seedbed undeploy`: each of their parts, and the whole against an emulated AWS."""
