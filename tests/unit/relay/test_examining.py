"""What is found in a camera's FLV, and when somebody looks."""

from __future__ import annotations

import re

import pytest

from media.causes import Cause
from relay.children import Child
from relay.publishers import CameraEvent, CameraKind
from tests.unit.media.test_flv import AAC, AVC_FRAME, AVC_KEY, HEADER, tag
from tests.unit.relay.test_picture import MAPPING, SOUND_OF_CAMERA, SOUND_OF_SILENCE, Stage, stage
from tests.waiting import eventually

__all__ = ["stage"]

AUDIO, VIDEO = 8, 9
DATA = "[flv @ 0x5581] [warning] something of the camera"
UNKNOWN_SOUND = "[flv @ 0x5581] [warning] Audio codec (f) is not implemented."


@pytest.fixture(autouse=True)
def _obedient(stage: Stage) -> None:
    roles = ("compositor", "slate", "listener", "examiner")
    stage.fake.script(**dict.fromkeys(roles, stage.fake.obedient))


def examiner(stage: Stage) -> Child:
    return stage.picture.children[4]


def look(stage: Stage, *tags: bytes) -> None:
    """Let the camera's first data come, and the examiner read these."""
    stage.step()
    stage.say(stage.compositor, DATA)
    stage.go_on(1.0)
    findings = stage.picture._camera.examining
    before = findings.findings
    stage.fake.feed(stage.pid(examiner(stage)), HEADER + b"".join(tags))
    eventually(lambda: findings.findings != before)
    stage.go_on(0.2)


def test_nobody_looks_while_nothing_comes(stage: Stage) -> None:
    stage.step()
    stage.go_on(5.0, stage.slate)
    assert examiner(stage).attempts == 0


def test_a_camera_that_sends_hevc_is_named(stage: Stage) -> None:
    look(stage, tag(AUDIO, 0, AAC), tag(VIDEO, 0, b"\x1c\1\0\0\0"))
    assert stage.picture.status.trouble == "the camera sends HEVC: set it to H.264"


def test_a_camera_without_keyframes_is_waited_for_and_named(stage: Stage) -> None:
    look(stage, *(tag(VIDEO, 33 * number, AVC_FRAME) for number in range(30)))
    stage.say(stage.compositor, MAPPING)
    waiting = stage.pid(stage.compositor)
    stage.go_on(50.0, stage.slate, step_s=1.0)
    assert stage.pid(stage.compositor) == waiting
    trouble = stage.picture.status.trouble or ""
    assert trouble.startswith("the camera has sent no keyframe for 5")
    assert trouble.endswith("set its keyframe interval to 2 s")


def test_a_sound_that_does_not_flow_is_left_out_although_pictures_come(stage: Stage) -> None:
    look(stage, tag(VIDEO, 0, AVC_KEY), *(tag(VIDEO, 33 * number, AVC_FRAME) for number in range(1, 30)))
    stage.say(stage.compositor, MAPPING)
    stage.go_on(2.0)
    assert not stage.takes_sound(stage.compositor)


def test_a_camera_of_one_frame_a_second_gets_time(stage: Stage) -> None:
    look(stage, tag(VIDEO, 0, AVC_KEY), tag(VIDEO, 1000, AVC_FRAME))
    stage.say(stage.compositor, MAPPING)
    stage.go_on(5.0)
    assert stage.takes_sound(stage.compositor)


def test_an_unknown_sound_is_left_out_at_once_and_named(stage: Stage) -> None:
    stage.step()
    stage.say(stage.compositor, UNKNOWN_SOUND)
    stage.go_on(0.4)
    assert not stage.takes_sound(stage.compositor)
    stage.say(stage.compositor, UNKNOWN_SOUND)
    stage.say(stage.compositor, SOUND_OF_SILENCE)
    camera = stage.put_camera_on_air()
    stage.go_on(0.4, camera)
    stage.fake.feed(stage.pid(examiner(stage)), HEADER + tag(AUDIO, 0, b"\x91Opus"))
    eventually(lambda: stage.picture._camera.examining.findings.sound == "Opus")
    assert stage.is_on_air(camera)
    assert stage.picture._camera.trouble(stage.clock()) == "the camera's sound (Opus) cannot be used: set it to AAC"


def test_two_clocks_are_joined_by_the_next_attempt_with_sound(stage: Stage) -> None:
    pairs = [
        one
        for number in range(20)
        for one in (tag(AUDIO, 7_200_000 + 33 * number, AAC), tag(VIDEO, 33 * number, AVC_KEY))
    ]
    look(stage, *pairs)
    stage.picture._camera.replace(Cause.SOUND_BACK, stage.clock(), takes_sound=True)
    stage.step()
    argv = " ".join(stage.fake.argv(stage.pid(stage.compositor)))
    assert "-copyts" in argv
    picture, sound = (float(re.search(rf" ?{name}=PTS-([\d.]+)/TB", argv)[1]) for name in ("[^a]setpts", "asetpts"))  # type: ignore[index]
    assert sound - picture == pytest.approx(7200, abs=0.1)


def test_a_healthy_camera_is_looked_at_once_for_a_moment(stage: Stage) -> None:
    stage.step()
    stage.picture.publishers.hear(CameraEvent(CameraKind.CAME, "7", "192.0.2.7"))
    stage.say(stage.compositor, SOUND_OF_CAMERA)
    camera = stage.put_camera_on_air()
    stage.go_on(0.4, camera)
    assert examiner(stage).process is not None
    stage.go_on(9.0, camera)
    assert examiner(stage).process is None
    stage.go_on(60.0, camera, step_s=1.0)
    assert examiner(stage).attempts == 1
