"""Images are decoded in separate processes, which end if one image takes too much time or memory.

pool          several decoder processes side by side, for prepare, predict and serve
pixel_budget  how many pixels of large images they decode at the same time
process       one decoder process: starts it, sends it requests, replaces it
worker        the code that runs in that process
messages      the messages between the two
limits        the time and memory that one image may take
images        reads, checks and resizes one image
kinds         says what a file is, and what to do with one that is not read; text_kinds the same for texts
metadata      leaves out of a file what its pixels don't need; tiff_page and tiff the same for TIFF
colours       pixels of any kind as 8-bit RGB
inspection    what prepare reads of an image
"""
