"""Pages for people: made on the server, whole without scripts, and noted among the receipts before they are shown."""
