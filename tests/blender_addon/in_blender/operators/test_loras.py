"""LoRA operators, and the LoRAs of the composition."""

from pathlib import Path

import bpy
import pytest

from blender_addon.scene import composition_io
from standee.composition import MAX_LORAS, Lora
from standee.errors import InvalidField


def sampled(standee):
    return composition_io.composition_of(standee)[0].sampling.loras


def test_a_lora_is_added_weighed_and_removed(standee):
    bpy.ops.standee.lora_add(path="/loras/toon.safetensors")
    bpy.ops.standee.lora_add(path="someone/some-lora")
    standee.loras[0].weight = 0.7
    assert sampled(standee) == (Lora("/loras/toon.safetensors", 0.7), Lora("someone/some-lora"))
    bpy.ops.standee.lora_remove(index=0)
    assert sampled(standee) == (Lora("someone/some-lora"),)
    assert bpy.ops.standee.lora_remove(index=5) == {"CANCELLED"}


def test_one_that_names_nothing_yet_is_no_lora(standee):
    bpy.ops.standee.lora_add()
    assert len(standee.loras) == 1
    assert sampled(standee) == ()


def test_a_path_beside_the_blend_file_is_made_whole(standee, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    standee = bpy.context.scene.standee
    bpy.ops.standee.lora_add(path="//toon.safetensors")
    [lora] = sampled(standee)
    assert Path(lora.path) == tmp_path / "toon.safetensors"


def test_weights_stay_within_their_bounds_and_so_does_the_list(standee):
    for n in range(MAX_LORAS):
        bpy.ops.standee.lora_add(path=f"a/{n}")
    standee.loras[0].weight = 9
    assert sampled(standee)[0].weight == 4
    assert not bpy.ops.standee.lora_add.poll()


def test_the_same_lora_twice_is_refused_when_composing(standee):
    for _ in range(2):
        bpy.ops.standee.lora_add(path="a/b")
    with pytest.raises(InvalidField) as caught:
        sampled(standee)
    assert caught.value.path == "$.sampling.loras[1].path"


def test_undo_brings_a_removed_lora_back(standee):
    bpy.ops.standee.lora_add(path="a/b")
    bpy.ops.ed.undo_push(message="one LoRA")
    bpy.ops.standee.lora_remove(index=0)
    bpy.ops.ed.undo_push(message="none")
    bpy.ops.ed.undo()
    assert [lora.path for lora in bpy.context.scene.standee.loras] == ["a/b"]
