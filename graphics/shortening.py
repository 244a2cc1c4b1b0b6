"""Shorter ways to write names and a dismissal, as a scorer or a broadcaster would. Pure.

Each function gives the forms of a text, the fullest first. Which of them fits is
the layout's to find out.
"""

from __future__ import annotations

import re

from scoring.scripts import JOINERS, letters

NAME_STEPS = 4
# Words that belong to the surname after them: de Kock, van der Merwe, Al Hasan.
_PARTICLES = re.compile(
    r"abu|al|bin|da|de|del|della|den|der|di|dos|du|el|ibn|la|le|st|te|ten|ter|ul|ur|van|von", re.IGNORECASE
)
_SUFFIX = re.compile(r"((\s*[(\[][^()\[\]]*([)\]]|\Z))|\s*[*†‡]|,?\s+(jr|sr|jnr|snr|ii|iii|iv)\.?)+\Z", re.IGNORECASE)
_PAIR = re.compile(r" & (?![^(\[]*[)\]])")  # not that of "(c & wk)"
_DISMISSAL = re.compile(
    r"absent|and|b|ball|bowled|by|c|caught|ct|field|fielder|handled|hit|hurt|hw|ill|lbw|not|obs|obstruct(ed|ing)|off|on"
    r"|out|retired|run|st|stump(ed)?|sub|the|timed|twice|wicket|wkt",
    re.IGNORECASE,
)


def name_forms(name: str) -> tuple[str, ...]:
    """Of one or two people: in full, with initials, and the surname alone; what stands in brackets goes last."""
    steps = [_name_steps(one) for one in _PAIR.split(name)]
    return _distinct([" & ".join(forms) for forms in zip(*steps, strict=True)])


def how_out_forms(how_out: str) -> tuple[str, ...]:
    """With its names in full, with initials, and the surnames alone; what is no scorer's English stays as it is."""
    tokens = re.findall(r"[\s()\[\]/,&]+|[^\s()\[\]/,&]+", how_out)
    if not tokens or not _DISMISSAL.fullmatch(tokens[0]):
        return (how_out,)
    in_capitals = tokens[0][:1].isupper()
    forms = [""] * NAME_STEPS
    name = ""
    for token in [*tokens, ""]:
        is_name = token and token[0] not in " ()[]/,&" and not _is_of_dismissal(token, in_capitals)
        if is_name or (name and token.isspace()):
            name += token
            continue
        gap = name[len(name.rstrip()) :]
        steps = _name_steps(name.rstrip())
        forms = [f"{form}{step}{gap}{token}" for form, step in zip(forms, steps, strict=True)]
        name = ""
    return _distinct(forms)


def short_name_forms(short: str) -> tuple[str, ...]:
    """A side's short name, and with fewer and fewer of its letters."""
    pieces = letters(short)
    return tuple("".join(pieces[:count]).strip(JOINERS) for count in range(len(pieces), 0, -1))


def _name_steps(name: str) -> list[str]:
    """A name in NAME_STEPS steps, each as short as the one before or shorter."""
    end = _SUFFIX.search(name)
    core, suffix = (name[: end.start()], name[end.start() :]) if end and end.start() else (name, "")
    if suffix.count("(") != suffix.count(")"):
        suffix = ""  # the name was cut there when it was read
    before, comma, behind = (part.strip() for part in core.partition(","))
    given, surname = (behind.split(), before) if comma and before and behind else _split(core.split())
    initials = [initial for word in given if (initial := _initials(word))]
    # Letters of a script without capitals would join to a word.
    joint = "" if all(initial.upper() != initial.lower() for initial in initials) else " "
    short = " ".join(part for part in (joint.join(initials), surname) if part)
    return [name, short + suffix, surname + suffix, surname]


def _distinct(forms: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(form for form in forms if form))


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
