"""Discarding images, and bringing them back."""
