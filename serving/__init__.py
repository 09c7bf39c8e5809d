"""A patient becomes a risk: over HTTP, from a file, or inside MLflow; all by one path, and without anything that trains."""
