"""What pages show: the API's answers turned into texts and numbers, without input or output."""
