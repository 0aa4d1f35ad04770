"""Images are decoded in separate processes, which end if one image takes too much time or memory.

pool        several decoder processes side by side, for prepare, predict and serve
process     one decoder process: starts it, sends it requests, replaces it
worker      the code that runs in that process
messages    the messages between the two
limits      the time and memory that one image may take
images      reads, checks and resizes one image
inspection  what prepare reads of an image
"""
