"""Loaders: nine sources land, exactly as they sent it, in one schema each."""
