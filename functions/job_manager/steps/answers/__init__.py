"""What the API answers, as types: openapi.json is made from them."""
