"""Shorter ways to write a name, a dismissal and a ball's label, as a scorer or a broadcaster would. Pure.

Each function gives the forms of a text, the fullest first. Which of them fits is
the layout's to find out.
"""

from __future__ import annotations

import re

from scoring.labels import ball_kind
from scoring.scripts import JOINERS, letters

# Words that belong to the surname after them: de Kock, van der Merwe, Al Hasan.
_PARTICLES = re.compile(
    r"abu|al|bin|da|de|del|della|den|der|di|dos|du|el|ibn|la|le|st|te|ten|ter|ul|ur|van|von", re.IGNORECASE
)
_SUFFIX = re.compile(r"((\s*[(\[][^()\[\]]*([)\]]|\Z))|\s*[*†‡]|,?\s+(jr|sr|jnr|snr|ii|iii|iv)\.?)+\Z", re.IGNORECASE)
_DISMISSAL = re.compile(
    r"absent|and|b|ball|bowled|by|c|caught|ct|field|fielder|handled|hit|hurt|hw|ill|lbw|not|obs|obstruct(ed|ing)|off|on"
    r"|out|retired|run|st|stump(ed)?|sub|the|timed|twice|wicket|wkt",
    re.IGNORECASE,
)
# What feeds write out, and the scorer's sign for it.
_SIGNS = (
    (r"no[\s-]?balls?", "nb"),
    (r"wides?", "wd"),
    (r"leg[\s-]?byes?", "lb"),
    (r"byes?", "b"),
    (r"penalt(y|ies)", "pen"),
    (r"wicket|wkt|out", "W"),
    (r"boundary|four", "4"),
    (r"six", "6"),
    (r"runs?|[\s()]", ""),
)
_SIGN_OF_KIND = {"wicket": "W", "wide": "wd", "no_ball": "nb", "bye": "b"}


def name_forms(name: str) -> tuple[str, ...]:
    """In full, with initials, and the surname alone; what stands in brackets behind it goes last."""
    end = _SUFFIX.search(name)
    core, suffix = (name[: end.start()], name[end.start() :]) if end and end.start() else (name, "")
    if suffix.count("(") != suffix.count(")"):
        suffix = ""  # the reader has cut the name there
    before, comma, behind = (part.strip() for part in core.partition(","))
    given, surname = (behind.split(), before) if comma and before and behind else _split(core.split())
    initials = [initial for word in given if (initial := _initials(word))]
    forms = [name]
    if initials:
        # Letters of a script without capitals would join to a word.
        joint = "" if all(initial.upper() != initial.lower() for initial in initials) else " "
        forms.append(f"{joint.join(initials)} {surname}{suffix}")
    forms += [surname + suffix, surname]
    return tuple(dict.fromkeys(form for form in forms if form))


def how_out_forms(how_out: str) -> tuple[str, ...]:
    """With its names in full, with initials, and the surnames alone; what is no scorer's English stays as it is."""
    tokens = re.findall(r"[\s()\[\]/,&]+|[^\s()\[\]/,&]+", how_out)
    if not tokens or not _DISMISSAL.fullmatch(tokens[0]):
        return (how_out,)
    in_capitals = tokens[0][:1].isupper()
    pieces: list[tuple[str, ...]] = []
    names: list[str] = []
    for token in [*tokens, ""]:
        is_name = token and token[0] not in " ()[]/,&" and not _is_of_dismissal(token, in_capitals)
        if is_name or (names and token.isspace()):
            names.append(token)
            continue
        if names:
            gap = names.pop() if names[-1].isspace() else ""
            pieces += [name_forms("".join(names)), (gap,)]
            names = []
        pieces.append((token,))
    most = max(map(len, pieces))
    return tuple(dict.fromkeys("".join(piece[min(form, len(piece) - 1)] for piece in pieces) for form in range(most)))


def label_forms(label: str) -> tuple[str, ...]:
    """A ball's label as it is, by the scorer's signs, and by the kind of ball alone."""
    short = label
    for pattern, sign in _SIGNS:
        short = re.sub(pattern, sign, short, flags=re.IGNORECASE)
    sign = _SIGN_OF_KIND.get(ball_kind(label)) or _SIGN_OF_KIND.get(ball_kind(short)) or ""
    return tuple(dict.fromkeys(form for form in (label, short, sign) if form))


def short_name_forms(short: str) -> tuple[str, ...]:
    """A side's short name, and with fewer and fewer of its letters."""
    pieces = letters(short)
    return tuple("".join(pieces[:count]).strip(JOINERS) for count in range(len(pieces), 0, -1))


def _split(words: list[str]) -> tuple[list[str], str]:
    """Given names, and the surname with its particles."""
    at = len(words) - 1
    while at > 0 and _PARTICLES.fullmatch(words[at - 1].strip(".")):
        at -= 1
    return words[: max(at, 0)], " ".join(words[max(at, 0) :])


def _initials(word: str) -> str:
    """Of a given name: "V", of "Jean-Paul" "JP"; "KL" and "M.S." are initials as they stand."""
    plain = word.replace(".", "")
    if plain.isalpha() and plain.isupper() and len(plain) <= (4 if "." in word else 3):
        return plain
    parts = [part for part in re.split(r"[-‐‑]", word) if not _PARTICLES.fullmatch(part)]
    firsts = [next((letter for letter in letters(part) if letter[0].isalnum()), "") for part in parts]
    return "".join(firsts)


def _is_of_dismissal(token: str, in_capitals: bool) -> bool:
    # "B" is an initial and "Ball" a name, unless such words begin with capitals here.
    return bool(_DISMISSAL.fullmatch(token)) and (in_capitals or token.islower())
