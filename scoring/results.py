"""Which side won, by the text of a result: "Red Valley won by 5 runs", "TIED (BLUE HILL WON THE ELIMINATOR)". Pure.

A scorer writes the text by hand, in any words. So a winner is told only when the text says in
so many words who won, or who lost: a side that is merely named has won nothing, and a text that
says two things says nothing. What follows from the score is not asked here but in `cricket.py`.

`result_line.py` brings the text into one shape, which is compared with the forms below;
`result_words.py` has the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scoring import result_words as words
from scoring.result_line import (
    BEATS,
    BETWEEN,
    DEFEATED,
    GAINS,
    GAVE_UP,
    LOST,
    MARKS,
    SIDE,
    UNCLEAR,
    VICTORY,
    WALKOVER,
    WON,
    folded,
    names_of,
    one_of,
    one_phrase_of,
    plain,
    shaped,
    word_set,
)
from scoring.scoreboard import MAX_TEXT, Team

_LONGEST = 4 * MAX_TEXT  # a text that goes on after that is no result

# `_FIRST`: of two sides in a row nobody knows which one is meant.
_FIRST = "(?<!> )"
_WINNER, _LOSER = r"<(?P<winner>.)> ", r"<(?P<loser>.)> "
_THE_WINNER, _THE_LOSER = f"(?:the )?{_WINNER}", f"(?:the )?{_LOSER}"
_END = rf"(?=[;#]|{one_of(words.AFTER_A_SIDE)} )"  # of a side's name, which does not go on as another side's
_GAP = r"(?:[^;<> ]+ ){0,8}?"
_MATCH = rf"(?:[^;<> ]+ ){{0,3}}?{one_of(words.MATCHES)} "
_PASSIVE = one_of("was were is are been being be got get")
_PERFECT = one_of("have has had")
_ACTIVE = rf"(?:(?!{_PASSIVE} ){one_of(words.BETWEEN)} ){{0,6}}"
_BARE = rf"(?:(?!{_PASSIVE} |{_PERFECT} ){one_of(words.BETWEEN)} ){{0,6}}"
_BY = one_of("by in at on after with under again easily comfortably heavily narrowly twice via") + " "
_KIND_OF = rf"(?:(?!{one_of('for to of in on from at towards near')} )[^;<> ]+ ){{0,4}}?"
_LOSS, _CRUSHED = one_of(words.LOSS), one_of(words.CRUSHED)
_DOWN = one_of("went go goes") + " down"

_FORMS = [
    re.compile(form)
    for form in (
        # X won; X beat Y; X defeated Y; X are the winners
        rf"{_FIRST}{_WINNER}{BETWEEN}(?:{WON}|{one_of(words.VICTORIOUS)}) ",
        rf"{_FIRST}{_WINNER}{_ACTIVE}{BEATS} (?!{_BY})",
        rf"{_FIRST}{_WINNER}{_ACTIVE}{DEFEATED} (?!{_BY}|;)",
        rf"{_FIRST}{_WINNER}{_ACTIVE}{_PERFECT} {_ACTIVE}beaten (?!{_BY}|;)",
        rf"(?:{BEATS}|{DEFEATED}|{_CRUSHED}|{_CRUSHED} past|{_PERFECT} {_ACTIVE}beaten) {_THE_LOSER}{_END}",
        rf"(?<= )(?:winners?|winning (?:team|side)) (?:(?:is|are|was|were|the|;) )*{_WINNER}{_END}",
        # X beaten by Y; won by X
        rf"{_FIRST}{_LOSER}{_BARE}(?:beaten |{DEFEATED} (?={_BY}|;)|{_CRUSHED} (?=by ))",
        rf"{_FIRST}{_LOSER}{BETWEEN}{_PASSIVE} {BETWEEN}(?:beat|beaten|{DEFEATED}|{_CRUSHED}) ",
        rf"(?:{WON}|{one_of('beat beaten bt')}|{DEFEATED}|{_CRUSHED}|{VICTORY}) {_GAP}by {_THE_WINNER}{_END}",
        # X lost; X lost to Y
        rf"{_FIRST}{_LOSER}{BETWEEN}{LOST} (?=;|{_BY}|to |against |{_MATCH})",
        rf"{_FIRST}{_LOSER}{BETWEEN}{_DOWN} (?=;|by |to )",
        rf"(?:{LOST}|{_DOWN}) {_GAP}(?:to|against) {_THE_WINNER}{_END}",
        rf"{LOST} {_GAP}by {_THE_LOSER}{_END}",
        # a win for X over Y; X sealed a win; a defeat for Y
        rf"{VICTORY} {_GAP}(?:for|to) {_THE_WINNER}{_END}",
        rf"(?:{VICTORY}|won) {_GAP}(?:over|against) {_THE_LOSER}{_END}",
        rf"{_FIRST}{_WINNER}{BETWEEN}{GAINS} {_KIND_OF}{VICTORY} ",
        rf"{_FIRST}{_WINNER}{BETWEEN}(?:victory|triumph) ",
        rf"{_FIRST}{_WINNER}{BETWEEN}{one_of(words.RUNS)} to {_GAP}(?:victory|win) ",
        rf"{_LOSS} {_GAP}for {_THE_LOSER}{_END}",
        rf"{_FIRST}{_LOSER}{BETWEEN}suffer(?:ed|s)? {_GAP}{_LOSS} ",
        # X conceded; the match was awarded to X; a walkover for X
        rf"{_FIRST}{_LOSER}{BETWEEN}{GAVE_UP} (?=;|{_BY}|to |before |due |as |defeat |{_MATCH}|(?:a )?{WALKOVER})",
        rf"(?:{GAVE_UP}|{one_of('concession forfeiture')}) {_GAP}by {_THE_LOSER}{_END}",
        rf"{GAVE_UP} {_GAP}to {_THE_WINNER}{_END}",
        rf"(?:;|{one_of(words.MATCHES, words.VICTORY)}|it) {BETWEEN}awarded to {_THE_WINNER}{_END}",
        rf"{_FIRST}{_WINNER}{BETWEEN}(?:awarded|given|granted|handed) {_MATCH}",
        rf"{WALKOVER}{_GAP}(?:for|to) {_THE_WINNER}{_END}",
        rf"{_FIRST}{_WINNER}{BETWEEN}(?:{GAINS} {_GAP})?{WALKOVER}",
        rf"{_FIRST}{_LOSER}{BETWEEN}(?:gave|gives?) {_GAP}(?:{SIDE}{_GAP})?{WALKOVER}",
    )
]
_SOMEBODY_WON = re.compile(
    rf"{one_of('won beat beats beaten defeated wins thrashed')} |{WALKOVER}"
    rf"|(?:{VICTORY}|{LOST}|{_LOSS}) by (?:#|{one_of(words.SOMEBODY)} )| win ;| victory for "
    rf"| lost to (?!{one_of(words.WEATHER)} )"
)
_CONDITION = re.compile(f"{one_of(words.CONDITIONS)} ")
# Not "cup tie", which is a match.
_TIED = re.compile(
    r"(?<= )(?:tied|dead heat|scores (?:(?:are|were|finish|finished|ended) )?level) "
    rf"|(?<= )(?:{one_phrase_of(words.SOUTH_ASIAN_TIED)}) "
    r"|(?<! cup)(?<! the)(?<! this) tie (?=;|(?:with|between|after|on|by|dls) )"
)

# "X की जीत", but not "जीत के करीब": near a win.
_NOT_OF_IT = f"(?!{one_of(words.FROM_WHOM, words.WHOSE, words.DONE_TO)} )"
_SOUTH_ASIAN = [
    (claim, re.compile(f"{one_phrase_of(phrases)} {_NOT_OF_IT}"))
    for claim, phrases in (
        ("beat", words.SOUTH_ASIAN_BEAT),
        ("won", words.SOUTH_ASIAN_WON),
        ("lost", words.SOUTH_ASIAN_LOST),
    )
]
_SOUTH_ASIAN_DOUBT = word_set(words.SOUTH_ASIAN_DOUBT)
_DID_IT, _DONE_TO, _WHOSE = word_set(words.DID_IT), word_set(words.DONE_TO), word_set(words.WHOSE)
_AGAINST = word_set(words.AGAINST)
_FROM_WHOM = word_set(words.FROM_WHOM) | _AGAINST


@dataclass(frozen=True)
class Outcome:
    """How a match ended.

    `kind` is "win", "tie" or "none" (drawn, abandoned, no result, or the text does not
    say); `winner` is the side's name as the scoreboard writes it, None where nobody won
    or it is not known who.
    """

    kind: str
    winner: str | None = None


def outcome_of(text: str, sides: Sequence[Team]) -> Outcome:
    """What the text says about the two sides."""
    text, names = plain(text[:_LONGEST]), names_of(sides)
    found = _read(shaped(text, names), sides)
    if found.winner is None and any(name.is_word for name in names):
        # What looks like a side may be a word: "WIN" is the short name of Winchester.
        found = _read(shaped(text, [name for name in names if not name.is_word]), sides)
    return found


def is_side(name: str, side: Team) -> bool:
    """True when it is this side's name or its short form, whatever the capitals, the spaces and the composing."""
    written = _squeezed(name)
    if written and written == _squeezed(side.name):
        return True
    return any(character.isalnum() for character in written) and written == _squeezed(side.short)


def _squeezed(name: str) -> str:
    return folded(plain(name)).replace(" ", "")


def _read(line: str, sides: Sequence[Team]) -> Outcome:
    if _CONDITION.search(line):
        return Outcome("none")
    claims = set(_claims(line, len(sides)))
    known = claims - {None}
    if len(known) == 1:
        return Outcome("win", next(side.name for mark, side in zip(MARKS, sides, strict=False) if mark in known))
    if known:
        return Outcome("none")
    if claims or _SOMEBODY_WON.search(line):
        return Outcome("win")
    return Outcome("tie" if any(map(_is_tied, line.split(";"))) else "none")


def _claims(line: str, count: int) -> Iterator[str | None]:
    """The mark of who won by each form that the line holds; None for one that is not known."""
    for form in _FORMS:
        for found in form.finditer(line):
            marks = found.groupdict()
            yield _winner(marks.get("winner"), marks.get("loser"), count)
    for clause in line.split(";"):
        yield from _south_asian_claims(clause, count)


def _winner(winner: str | None, loser: str | None, count: int) -> str | None:
    if winner is not None:
        return None if winner == UNCLEAR else winner
    if loser is None or loser == UNCLEAR or count != len(MARKS):
        return None
    return MARKS.replace(loser, "")


def _is_tied(clause: str) -> bool:
    return bool(_TIED.search(f"{clause};")) and _SOUTH_ASIAN_DOUBT.isdisjoint(clause.split())


def _south_asian_claims(clause: str, count: int) -> Iterator[str | None]:
    """The verb comes last; who did it is named first, or marked as the one who did."""
    claim, found = next(((claim, found) for claim, verb in _SOUTH_ASIAN if (found := verb.search(clause))), ("", None))
    if found is None or not _SOUTH_ASIAN_DOUBT.isdisjoint(clause.split()):
        return
    did, done_to, whose, bare = _roles(clause[: found.start()].split())
    if claim == "beat":
        yield _winner(did or (None if done_to else bare), done_to or whose, count)
    elif claim == "won":
        yield _winner(did or whose or bare, None, count)
    else:
        yield _winner(None, did or whose or done_to or bare, count)


def _roles(tokens: list[str]) -> tuple[str | None, str | None, str | None, str | None]:
    """The mark of who did it, whom it was done to, whose it is, and of the side that stands first and bare."""
    roles: list[str | None] = [None, None, None, None]
    is_first = True
    for at, token in enumerate(tokens):
        if not token.startswith("<"):
            is_first = is_first and token in _DONE_TO | _FROM_WHOM
            continue
        behind = tokens[at + 1 : at + 3]
        if _AGAINST.intersection(behind) or (behind and behind[0] in _FROM_WHOM):
            continue
        kinds = [bool(behind) and behind[0] in kind for kind in (_DID_IT, _DONE_TO, _WHOSE)]
        role = kinds.index(True) if True in kinds else 3
        if role < 3 or is_first:
            roles[role] = roles[role] or token[1]
    return roles[0], roles[1], roles[2], roles[3]
