"""Which job a slot gets: by turn, and by who holds the model and the subjects."""

import msgspec
import pytest

from standee_backend.scheduling.placement import OVERTAKEN, Held, Needs, Placement
from standee_backend.storage.job import Job


def job(key, model="flux", subjects=(), **fields):
    layers = [{"picture": subject} for subject in subjects]
    spec = {"sampling": {"model": model}, "layers": layers}
    known = dict.fromkeys(Job.__struct_fields__, 0)
    given = {"key": key, "id": f"job {key}", "kind": "compose", "spec": msgspec.json.encode(spec)}
    return Job(**known | given | fields)


def held(*jobs):
    """What a slot holds after these jobs."""
    slot = Held()
    for each in jobs:
        slot.take(Needs.of(each))
    return slot


def chosen(line, mine, free=(), busy=()):
    found, _ = Placement().choose(line, mine, free, busy)
    return found and found.key


def test_the_first_in_line_comes_first():
    assert chosen([job(1), job(2)], held()) == 1


def test_of_two_free_slots_the_one_with_the_model_takes_the_job():
    line = [job(1, "flux"), job(2, "krea")]
    with_flux, with_krea = held(job(0, "flux")), held(job(0, "krea"))
    assert chosen(line, with_krea, free=[with_flux]) == 2
    assert chosen(line, with_flux, free=[with_krea]) == 1


def test_of_two_with_the_model_the_one_with_the_subject_takes_it():
    line = [job(1, subjects=["cat"])]
    with_cat, with_dog = held(job(0, subjects=["cat"])), held(job(0, subjects=["dog"]))
    assert Placement().choose(line, with_dog, [with_cat], []) == (None, True)
    assert chosen(line, with_cat, free=[with_dog]) == 1


def test_loras_are_part_of_the_model():
    spec = {"sampling": {"model": "flux", "loras": [{"path": "a/b", "weight": 1.0}]}}
    laid = job(1, spec=msgspec.json.encode(spec))
    assert held(job(0)).worth(Needs.of(laid)) == 0
    assert held(laid).worth(Needs.of(laid)) == 2 - 1  # its model, and it has no subjects


def test_a_job_waits_for_the_busy_slot_with_its_model_while_others_suit_the_free_one():
    line = [job(1, "krea"), job(2, "flux")]
    flux, krea = held(job(0, "flux")), held(job(0, "krea"))
    assert chosen(line, flux, busy=[krea]) == 2
    assert chosen(line, flux) == 1  # nobody else will be quicker
    assert chosen(line[:1], flux, busy=[krea]) == 1


def test_a_job_is_overtaken_a_few_times_only():
    placement, krea = Placement(), held(job(0, "krea"))
    line, flux = [job(1, "krea"), *(job(n, "flux") for n in range(2, 20))], held(job(0, "flux"))
    order = []
    while 1 not in order:
        taken, _ = placement.choose(line, flux, [], [krea])
        order.append(taken.key)
        line.remove(taken)
    assert len(order) == OVERTAKEN + 1


@pytest.mark.parametrize("fields", [{"priority": -1}, {"attempts": 1}])
def test_nothing_of_lower_priority_or_tried_before_overtakes(fields):
    line = [job(1, "krea"), job(2, "flux", **fields)]
    assert chosen(line, held(job(0, "flux")), busy=[held(job(0, "krea"))]) == 1


def test_a_slot_is_not_asked_again_for_what_its_machine_has_not_got():
    lacking = held()
    lacking.lacks.add(1)
    assert chosen([job(1), job(2)], lacking) == 2
    assert chosen([job(1)], held(), free=[lacking]) == 1
