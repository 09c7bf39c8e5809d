"""What is wrong with a piece of input: where it stands, what was given, what is allowed, what is likely the matter."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One reason why input is refused, worded for the person who has to put it right.

    `field` says where ("alc", "/measurements/3/unit", "column alc_10e9_l, rows 3, 7"). Of the four only `given` may
    hold what was sent; the others are our own words, so that a sentence without it can leave the house.
    """

    field: str
    given: str
    allowed: str
    likely: str = ""

    def __str__(self) -> str:
        """The whole sentence.

        >>> print(Fault("alc", "1200 10*9/L", "0 to 10 10*9/L", "cells/uL under the unit 10*9/L"))
        alc = 1200 10*9/L: allowed is 0 to 10 10*9/L; likely cells/uL under the unit 10*9/L
        """
        return f"{self.field} = {self.given}{self._reason()}"

    def without_value(self) -> str:
        """The same sentence without what was given: for the wire and for logs.

        >>> Fault("alc", "1200 10*9/L", "0 to 10 10*9/L").without_value()
        'alc: allowed is 0 to 10 10*9/L'
        """
        return f"{self.field}{self._reason()}"

    def _reason(self) -> str:
        likely = f"; likely {self.likely}" if self.likely else ""
        return f": allowed is {self.allowed}{likely}"
