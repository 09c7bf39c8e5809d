"""What is decided and written down before anything is trained, so that nobody can choose afterwards what looks best."""
