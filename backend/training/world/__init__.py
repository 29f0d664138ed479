"""The world of the mini model: figures drawn into places, in the light of each."""
