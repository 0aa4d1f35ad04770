"""Jobs' containers: an image runs as a process of this machine or in Docker; a directory stands for its /opt/ml."""
