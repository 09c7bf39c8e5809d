"""What a text of a request may look like: an id is a pseudonym, and any other text a word of a list or a short label.

Names, dates of birth, record numbers, e-mail addresses and telephone numbers are not taken, since nobody could keep them out of a
receipt afterwards. Both patterns are those of ECMA-262 too, so that the OpenAPI document can show them.
"""

from __future__ import annotations

import re

LONGEST_ID = 128  # characters
LONGEST_LABEL = 64

# What studies call those they number, and what is nobody's name: "patient_one", "Case", "test-patient-baseline" name no person.
_NOBODY_WORDS = """
base baseline case cohort control demo example id one patient pt reference sample site study subject synthetic test trial two
"""
_NOBODY = "|".join(f"[{word[0].upper()}{word[0]}]{word[1:]}" for word in _NOBODY_WORDS.split())
_UNNAMED = rf"(?!(?:(?:{_NOBODY})[._:-]?)+[0-9]*$)"

PSEUDONYM = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"
# What a pseudonym must not look like. A study number of seven digits cannot be told from a record number: put a letter before it.
IDENTIFYING = "|".join(
    (
        r"^(?:[0-9][._:-]*){7,15}$",  # a record, telephone or social security number, or a date: seven digits and no letter
        r"^(?:[Mm][Rr][Nn]|[Ss][Ss][Nn]|[Dd][Oo][Bb]|[Nn][Hh][Ss]|[Tt][Ee][Ll])[._:-]*[0-9]",  # and one that says so
        r"(?:^|[^0-9])[0-9]{3}[._-][0-9]{2}[._-][0-9]{4}(?:[^0-9]|$)",  # social security
        r"(?:^|[^0-9])[0-9]{3}[._-][0-9]{3}[._-][0-9]{4}(?:[^0-9]|$)",  # telephone
        r"(?:^|[^0-9A-Za-z])(?:19|20)[0-9]{2}[._-][0-9]{1,2}[._-][0-9]{1,2}(?:[^0-9A-Za-z]|$)",  # a date, year first
        r"(?:^|[^0-9A-Za-z])[0-9]{1,2}[._-][0-9]{1,2}[._-](?:19|20)[0-9]{2}(?:[^0-9A-Za-z]|$)",  # and last
        rf"^{_UNNAMED}[A-Z][a-z]+$",  # Smith
        rf"^{_UNNAMED}[A-Za-z]{{2,}}(?:[._:-][A-Za-z]{{2,}})+$",  # john.smith, SMITH-JOHN
        rf"^{_UNNAMED}[A-Z][a-z]{{2,}}[._:-]?[A-Z][a-z]{{2,}}",  # JohnSmith1956
    )
)
PSEUDONYM_RULE = (
    f"a pseudonym of at most {LONGEST_ID} letters, digits and . _ : -, such as p-1 or PT000123: no name, no date, no record, "
    "telephone or social security number (a study number of seven digits takes a letter before it)"
)
# no formula of a spreadsheet, markup, template, path or query
LABEL_NEVER, LABEL_NEVER_FIRST = r"""@;\\`"'""", r"=+\s-"  # signs; as the insides of a class of characters
LABEL = f"^[^{LABEL_NEVER}{LABEL_NEVER_FIRST}][^{LABEL_NEVER}]{{0,{LONGEST_LABEL - 1}}}$"
MARKUP = r"\{\{|\$\{|<[A-Za-z/!?]|\.\./"
LABEL_RULE = f"a short label of at most {LONGEST_LABEL} characters, without quotes, @, ; or markup"

_PSEUDONYM, _IDENTIFYING, _LABEL, _MARKUP = map(re.compile, (PSEUDONYM, IDENTIFYING, LABEL, MARKUP))


def is_pseudonym(text: str) -> bool:
    """Whether the text may name a patient here.

    >>> [is_pseudonym(one) for one in ("p-1", "PT000123", "patient_one", "Jane Doe", "JaneDoe", "123-45-6789", "MRN1234567")]
    [True, True, True, False, False, False, False]
    """
    return len(text) <= LONGEST_ID and bool(_PSEUDONYM.match(text)) and "\n" not in text and not _IDENTIFYING.search(text)


def is_label(text: str) -> bool:
    """Whether the text is a short label: the name of an agent or of an assay, or a level of a covariate.

    >>> [is_label(one) for one in ("nab-paclitaxel", "5-FU (bolus)", "<1%", "=1+1", "{{7*7}}", "../../etc/passwd", " ")]
    [True, True, True, False, False, False, False]
    """
    return bool(text.strip()) and bool(_LABEL.match(text)) and "\n" not in text and not _MARKUP.search(text)
