"""Between a trained model and patients: what must hold before it is promoted, and the record of who promoted what, and why."""
