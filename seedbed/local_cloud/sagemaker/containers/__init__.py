"""How a job's image is run: as a process of this machine or in Docker, with /opt/ml below the job's directory."""
