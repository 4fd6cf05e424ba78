"""The side list of cases, paging through them, and the scores that stay with them."""
