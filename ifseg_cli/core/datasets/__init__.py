"""One file a data set: where its files lie and what its ids mean."""
