"""Who may ask for what: identities, what each role may do, and the door through which every request comes."""
