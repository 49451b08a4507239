"""The family of the base that ships: an ImageNet classifier's evidence as cells, its noise, OFA's form on top."""
