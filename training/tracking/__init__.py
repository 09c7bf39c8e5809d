"""The one room that knows MLflow."""
