"""A model meets another hospital: how far its risks must be moved there, and what that is known from."""
