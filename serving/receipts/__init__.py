"""The receipts: one sealed, durable record of every score, from which it can be verified, replayed and exported."""
