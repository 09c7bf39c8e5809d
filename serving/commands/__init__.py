"""The auditor's commands, one module a verb; cheap to import, since every command of the program imports them."""
