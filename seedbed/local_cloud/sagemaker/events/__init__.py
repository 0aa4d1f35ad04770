"""Delivery of events to the targets of EventBridge's rules."""
