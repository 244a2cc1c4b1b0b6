from __future__ import annotations

import re

import pytest

from relay.camera_key import KEY_PATTERN, Admission, CameraKeys, is_key, judge
from tests.conftest import SettingsFactory


def test_a_made_key_stays_the_same_from_match_to_match(settings_with: SettingsFactory) -> None:
    keys = CameraKeys(settings_with(api_token="open-sesame"))
    again = CameraKeys(settings_with(api_token="open-sesame"))
    assert keys.of("m1") == again.of("m1")
    made = keys.of("m1")
    assert made is not None
    assert re.fullmatch(KEY_PATTERN, made)
    assert not set(made) & set("01ilo"), "they look alike on a small screen"


def test_each_stream_and_each_token_has_keys_of_its_own(settings_with: SettingsFactory) -> None:
    tokens = [CameraKeys(settings_with(api_token=token)) for token in ("open-sesame", "open-sesamf")]
    made = {keys.of(name) for keys in tokens for name in ("m1", "m2", "M1", "m1 ")}
    assert len(made) == 8


@pytest.mark.parametrize(
    ("settings", "are_required"),
    [
        ({}, False),
        ({"api_token": "open-sesame"}, True),
        ({"api_token": "open-sesame", "require_camera_key": "auto"}, True),
        ({"api_token": "open-sesame", "require_camera_key": "true"}, True),
        ({"api_token": "open-sesame", "require_camera_key": "false"}, False),
        ({"require_camera_key": "false"}, False),
    ],
    ids=str,
)
def test_keys_are_required_if_there_is_a_token(
    settings_with: SettingsFactory, settings: dict[str, str], are_required: bool
) -> None:
    keys = CameraKeys(settings_with(**settings))
    assert keys.are_required is are_required
    assert (keys.of("m1") is not None) is are_required


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("a" * 8, True),
        ("A-z_0.9~x".replace("_", "-"), True),
        ("a" * 64, True),
        ("a" * 7, False),
        ("a" * 65, False),
        ("with space", False),
        ("new-line\n", False),
        ("and&more=1", False),
        ("कुंजीकुंजी", False),
        (12345678, False),
        (None, False),
    ],
    ids=str,
)
def test_a_key_fits_into_a_url_as_it_is(text: object, accepted: bool) -> None:
    assert is_key(text) is accepted


@pytest.mark.parametrize(
    ("camera_key", "given", "admission"),
    [
        ("right-key-1", "right-key-1", Admission.YES),
        ("right-key-1", "", Admission.WRONG_KEY),
        ("right-key-1", "right-key-2", Admission.WRONG_KEY),
        ("right-key-1", "\ud800é", Admission.WRONG_KEY),
        (None, "", Admission.YES),
        (None, "whatever", Admission.YES),
    ],
)
def test_only_the_right_key_opens_a_stream_that_has_one(
    camera_key: str | None, given: str, admission: Admission
) -> None:
    assert judge(camera_key, given) == admission
