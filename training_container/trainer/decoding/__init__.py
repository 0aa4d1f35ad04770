"""Pictures are decoded in processes of their own, which are ended where one picture takes too much time or memory.

pool      what prepare, predict and serve ask: several decoders side by side
process   one decoder as its owner sees it: started, asked, ended, replaced
worker    what runs in it
messages  what the two say to each other
limits    what one picture may cost
"""
