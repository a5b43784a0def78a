"""Each alarm of the template over simulated days: it rings when it should, as soon as README says, and never else.

CloudWatch does not document how far it looks back beyond what it is asked for, so every scenario runs with several
answers, and whether FILL fills a metric without any data, so with both.
"""

import random
import re

import pytest

from local.environment import ROOT
from tests.support.alarm_evaluator import DAY, HOUR, MINUTE
from tests.support.cloudformation import Stack
from tests.support.simulation import EXTRACTED_AFTER, Rings, World, counts, day

STACK = Stack()
README = (ROOT / "README.md").read_text()
# How long after its cause an alarm rings at the latest, in minutes, by README's table.
LATEST = {
    name: 60 * int(hours or 0) + int(minutes)
    for name, hours, minutes in re.findall(r"^\| `(\w+Alarm)` \|[^|]*\| (?:(\d+) h )?(\d+) min", README, re.MULTILINE)
}


@pytest.fixture
def world() -> World:
    return World(STACK)


@pytest.fixture(params=[(0, True), (2, False), (26, True)], ids=str)
def judged(request: pytest.FixtureRequest, world: World) -> "Judge":
    return Judge(world, *request.param)


class Judge:
    """What rang, under one answer to what is not documented."""

    def __init__(self, world: World, further_periods: int, fills_the_void: bool) -> None:
        self.world = world
        self._answers = (further_periods, fills_the_void)

    def rings(self, until: float) -> Rings:
        return self.world.rings(until, *self._answers)


def in_time(alarm: str, rings: Rings, cause: float) -> bool:
    """Whether the alarm rang once, after its cause and as soon as README says."""
    [(start, _)] = rings[alarm]
    return cause < start <= cause + LATEST[alarm] * MINUTE


# ── Nothing is wrong ──


def test_a_healthy_month_is_quiet(world: World, judged: Judge) -> None:
    chance = random.Random(6)  # noqa: S311 (the same month every time)
    for number in range(31):
        late = chance.choice([0, HOUR]) + chance.uniform(-10 * MINUTE, 10 * MINUTE)
        world.scheduled_run(day(number) + late, counts(linked=chance.randint(25, 35)), seconds=chance.uniform(5, 850))
        for _ in range(4):
            world.requests(number * DAY + chance.randrange(DAY), chance.randrange(15))
    assert judged.rings(31 * DAY) == {}


def test_the_first_day_after_a_deployment_is_quiet(world: World, judged: Judge) -> None:
    world.deployed = day(0) + 2 * MINUTE  # the day's run has just been missed
    world.requests(world.deployed + HOUR, 8, milliseconds=4000)  # cold starts
    for number in (1, 2, 3):
        world.scheduled_run(day(number), seconds=800)
    assert judged.rings(4 * DAY) == {}


def test_a_first_day_without_customers_is_quiet(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0), counts(total=0, linked=0))
    assert judged.rings(DAY) == {}


def test_an_owners_own_runs_ring_nothing_however_few_links_and_many_errors_they_have(
    world: World, judged: Judge
) -> None:
    for number in range(4):
        world.scheduled_run(day(number))
        world.run(day(number) + 7 * HOUR, counts(total=20, linked=2, errors=1), tenant=7)
        world.run(day(number) + 9 * HOUR, counts(total=20, linked=2), "failed", tenant=7)
    assert judged.rings(4 * DAY) == {}


def test_two_stacks_in_one_account_do_not_ring_for_each_other(world: World, judged: Judge) -> None:
    other = World(Stack(stack_name="another"), metrics=world.metrics)
    for number in range(4):
        world.scheduled_run(day(number))
        other.run(day(number), counts(linked=1, errors=1))
    assert judged.rings(4 * DAY) == {}


# ── The batch ──


def test_a_missed_day_rings_until_the_next_run(world: World, judged: Judge) -> None:
    for number in (0, 1, 2, 4, 5):
        world.scheduled_run(day(number))
    rings = judged.rings(6 * DAY)
    assert rings.keys() == {"SyncAgeAlarm"}
    assert in_time("SyncAgeAlarm", rings, cause=day(2) + MINUTE)
    [(start, end)] = rings["SyncAgeAlarm"]
    assert start > day(2) + 26 * HOUR, "a run that is an hour late is not missed"
    assert day(4) < end <= day(4) + HOUR


@pytest.mark.parametrize("minute", [0, 1, 31, 59])
def test_a_run_is_missed_after_26_hours_whenever_in_the_hour_it_ended(world: World, minute: int) -> None:
    ended = 4 * HOUR + minute * MINUTE
    world.run(ended - MINUTE)
    [(start, _)] = world.rings(4 * DAY)["SyncAgeAlarm"]
    assert ended + 26 * HOUR <= start <= ended + LATEST["SyncAgeAlarm"] * MINUTE


def test_a_function_that_never_starts_rings_a_day_after_the_deployment(world: World, judged: Judge) -> None:
    world.deployed = 13 * HOUR
    rings = judged.rings(5 * DAY)
    assert rings.keys() == {"SyncAgeAlarm"}
    assert in_time("SyncAgeAlarm", rings, cause=world.deployed)
    assert rings["SyncAgeAlarm"][0][1] == 5 * DAY, "it goes on ringing"


def test_runs_that_time_out_every_day_are_no_completed_runs(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0))
    for number in (1, 2, 3):
        world.scheduled_run(day(number), counts(total=50, linked=15), "partial", seconds=840)
    rings = judged.rings(4 * DAY)
    assert rings.keys() == {"SyncAgeAlarm"}
    assert in_time("SyncAgeAlarm", rings, cause=day(0) + MINUTE)


def test_a_failed_run_does_not_hide_the_one_that_completed_in_the_same_hour(world: World, judged: Judge) -> None:
    for number in range(3):
        world.scheduled_run(day(number))
        world.run(day(number) + 10 * MINUTE, counts(total=40, linked=10), "failed")  # an administrator's
    assert judged.rings(3 * DAY) == {}


def test_a_failed_run_rings_at_once_and_its_event_is_in_the_queue(world: World, judged: Judge) -> None:
    for number in (0, 1, 3, 4):
        world.scheduled_run(day(number))
    world.scheduled_run(day(2), counts(total=40, linked=10), "failed", seconds=850)
    failed = day(2) + 850
    world.dead_letter(failed, failed + 6 * HOUR)
    world.run(day(2) + 2 * HOUR)  # an administrator repeats it

    rings = judged.rings(5 * DAY)

    assert rings.keys() == {"DailySyncErrorsAlarm", "DeadLettersAlarm"}
    assert all(in_time(alarm, rings, cause=failed) for alarm in rings)
    assert rings["DeadLettersAlarm"][0][1] > failed + 6 * HOUR, "as long as nobody has seen to it"


def test_an_execution_that_failed_rings_at_once(world: World, judged: Judge) -> None:
    for number in range(3):
        world.scheduled_run(day(number), counts(linked=30), seconds=20)
    world.execution_failed(day(1) + HOUR)

    rings = judged.rings(day(3) - HOUR)
    assert rings.keys() == {"SyncExecutionsAlarm"}
    assert in_time("SyncExecutionsAlarm", rings, day(1) + HOUR)


def test_a_failed_run_that_nobody_repeats_rings_again_when_the_day_is_over(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0))
    world.scheduled_run(day(1), counts(total=0, linked=0), "failed")
    world.scheduled_run(day(2))
    rings = judged.rings(3 * DAY)
    assert rings.keys() == {"DailySyncErrorsAlarm", "SyncAgeAlarm"}
    assert in_time("SyncAgeAlarm", rings, cause=day(0) + MINUTE)


def test_a_failed_run_that_is_repeated_by_hand_rings_once(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0), state="failed")
    world.scheduled_run(day(0) + 30 * MINUTE)
    rings = judged.rings(DAY)
    assert rings.keys() == {"DailySyncErrorsAlarm"}
    assert in_time("DailySyncErrorsAlarm", rings, cause=day(0) + MINUTE)
    assert rings["DailySyncErrorsAlarm"][0][1] <= day(0) + HOUR + MINUTE


def test_a_schedule_that_cannot_be_delivered_rings_from_the_queue(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0))
    gave_up = day(1) + HOUR
    world.dead_letter(gave_up, gave_up + 30 * MINUTE)
    world.run(day(1) + 90 * MINUTE)
    rings = judged.rings(2 * DAY)
    assert rings.keys() == {"DeadLettersAlarm"}
    assert in_time("DeadLettersAlarm", rings, cause=gave_up)
    assert rings["DeadLettersAlarm"][0][1] <= gave_up + (30 + 6) * MINUTE


def test_waiting_for_another_run_to_end_is_no_throttling_to_ring_for(world: World, judged: Judge) -> None:
    for number in range(3):
        world.invoked(day(number) - 10 * MINUTE, 880)  # what a click handed over
        world.throttled(day(number), day(number) + 5 * MINUTE)
        world.scheduled_run(day(number) + 5 * MINUTE, seconds=880)
        world.throttled(day(number) + 5 * MINUTE, day(number) + 5 * MINUTE + 880)  # another click
    assert judged.rings(3 * DAY) == {}


def test_waiting_a_little_now_and_then_is_no_throttling_either(world: World, judged: Judge) -> None:
    for hour in range(6):  # clicks while another run is under way
        world.throttled(hour * HOUR, hour * HOUR + 10 * MINUTE)
        world.invoked(hour * HOUR + 10 * MINUTE, 60)
    assert judged.rings(10 * HOUR) == {}


def test_a_function_that_is_kept_from_starting_rings(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0))
    world.throttled(day(1), day(1) + 5 * HOUR)
    rings = judged.rings(day(2))
    assert in_time("DailySyncThrottlesAlarm", rings, cause=day(1))


# ── The figures ──


def test_a_link_rate_that_falls_rings_until_it_has_recovered(world: World, judged: Judge) -> None:
    for number, linked in enumerate([30, 30, 20, 12, 11, 15, 20, 31]):
        world.scheduled_run(day(number), counts(linked=linked))
    rings = judged.rings(8 * DAY)
    assert rings.keys() == {"LinkRateAlarm"}
    assert in_time("LinkRateAlarm", rings, cause=day(3) + MINUTE)
    [(_, end)] = rings["LinkRateAlarm"]
    assert day(6) < end <= day(6) + 5 * MINUTE, "20 % is not below 20 %"


def test_a_link_rate_that_is_mended_and_run_again_is_quiet_at_once(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0), counts(linked=12))
    mended = day(0) + 10 * MINUTE
    world.run(mended, counts(linked=40))
    [(_, end)] = judged.rings(DAY)["LinkRateAlarm"]
    assert mended < end <= mended + 5 * MINUTE


def test_a_figure_that_arrives_late_still_rings(world: World, judged: Judge) -> None:
    world.run(day(0), counts(linked=12), extracted_after=4 * MINUTE)
    [(start, _)] = judged.rings(DAY)["LinkRateAlarm"]
    assert start <= day(0) + 6 * MINUTE


def test_two_runs_in_a_row_are_not_added_up(world: World, judged: Judge) -> None:
    for begun in (day(0), day(0) + 2 * MINUTE):
        world.run(begun, counts(total=100, linked=12))
    assert judged.rings(DAY).keys() == {"LinkRateAlarm"}
    for begun in (day(1), day(1) + 2 * MINUTE):
        world.run(begun, counts(total=100, linked=50, errors=2))
    assert judged.rings(day(1) + HOUR).keys() == {"LinkRateAlarm"}


def test_links_that_are_lost_in_numbers_ring_until_a_run_that_loses_none(world: World, judged: Judge) -> None:
    for number, lost in enumerate([0, 6, 0, 0]):
        world.scheduled_run(day(number), counts(linked=94 - lost, lost=lost))
    rings = judged.rings(4 * DAY)
    assert rings.keys() == {"LostLinksAlarm"}
    assert in_time("LostLinksAlarm", rings, cause=day(1) + MINUTE)
    [(_, end)] = rings["LostLinksAlarm"]
    assert day(2) < end <= day(2) + 5 * MINUTE


def test_a_few_links_that_are_lost_ring_nothing_nor_as_many_of_very_many(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0), counts(linked=26, lost=4))  # the attention list has them
    world.scheduled_run(day(1), counts(total=1000, linked=950, lost=50))  # 5 % is not above 5 %
    world.run(day(2) - HOUR, counts(total=40, linked=20, lost=20), tenant=7)
    world.scheduled_run(day(2))
    assert judged.rings(3 * DAY) == {}


def test_a_run_that_stopped_halfway_rings_for_the_links_that_it_found_lost(world: World, judged: Judge) -> None:
    world.scheduled_run(day(0), counts(total=60, linked=20, lost=10), "partial")
    world.run(day(0) + HOUR, counts())
    assert judged.rings(DAY).keys() == {"LostLinksAlarm"}


def test_errors_on_three_customers_of_fifty_ring_and_on_two_do_not(world: World, judged: Judge) -> None:
    for number, errors in enumerate([0, 2, 3, 0]):
        world.scheduled_run(day(number), counts(total=50, linked=50, errors=errors))
    world.scheduled_run(day(4), counts(total=20, linked=20, errors=1))  # 5 % is not above 5 %
    rings = judged.rings(5 * DAY)
    assert rings.keys() == {"SyncErrorsAlarm"}
    assert in_time("SyncErrorsAlarm", rings, cause=day(2) + MINUTE)
    assert rings["SyncErrorsAlarm"][0][1] > day(3), "it goes on ringing until a run is better"


# ── The API ──


def minutes(start: float, end: float) -> range:
    return range(int(start), int(end), MINUTE)


def test_an_outage_rings_even_when_few_are_asking(world: World, judged: Judge) -> None:
    began, ended = 10 * HOUR, 11 * HOUR
    for minute in minutes(9 * HOUR, 12 * HOUR):
        world.requests(minute, 2, failing=2 if began <= minute < ended else 0)
    rings = judged.rings(13 * HOUR)
    assert rings.keys() == {"ApiErrorsAlarm"}
    assert in_time("ApiErrorsAlarm", rings, cause=began)
    assert rings["ApiErrorsAlarm"][0][1] <= ended + 15 * MINUTE


def test_single_errors_ring_nothing(world: World, judged: Judge) -> None:
    world.requests(3 * HOUR, 3, failing=1)  # at night
    for minute in minutes(9 * HOUR, 12 * HOUR):
        world.requests(minute, 100, failing=2)  # 2 %
    for minute in minutes(15 * HOUR, 15 * HOUR + 4 * MINUTE):
        world.requests(minute, 30, failing=20)  # a failover, then nobody asks
    for spell in (18 * HOUR, 18 * HOUR + 40 * MINUTE, 18 * HOUR + 80 * MINUTE):
        world.requests(spell, 30, failing=20)  # and nobody between
    assert judged.rings(24 * HOUR) == {}


def test_a_slow_database_rings(world: World, judged: Judge) -> None:
    began = 10 * HOUR
    for minute in minutes(9 * HOUR, 12 * HOUR):
        world.requests(minute, 10, milliseconds=80 if minute < began else 5000)
    rings = judged.rings(12 * HOUR)
    assert rings.keys() == {"ApiLatencyAlarm"}
    assert in_time("ApiLatencyAlarm", rings, cause=began)


def test_a_long_sync_and_cold_starts_ring_nothing(world: World, judged: Judge) -> None:
    for minute in minutes(9 * HOUR, 12 * HOUR):
        world.requests(minute, 10)
    world.requests(10 * HOUR, 1, milliseconds=20_000)  # POST sync-all-hosting
    for minute in minutes(13 * HOUR, 14 * HOUR):
        world.requests(minute, 25)
        world.requests(minute, int(minute % (5 * MINUTE) == 0), milliseconds=20_000)  # one of 126
    for spell in (16 * HOUR, 16 * HOUR + 40 * MINUTE, 16 * HOUR + 80 * MINUTE):
        world.requests(spell, 30, milliseconds=4000)  # and nobody between
    for minute in minutes(20 * HOUR, 21 * HOUR):
        world.requests(minute, 1, milliseconds=4000)  # at night each meets a cold function
    assert judged.rings(24 * HOUR) == {}


# ── The template ──


def test_every_alarm_tells_the_topic_and_has_a_scenario_in_which_it_rings() -> None:
    alarms = STACK.of_type("AWS::CloudWatch::Alarm")
    assert alarms.keys() == LATEST.keys()
    assert all(alarm["AlarmActions"] == ["AlarmTopic"] for alarm in alarms.values())


def test_the_thresholds_of_the_batch_are_parameters() -> None:
    stack = Stack(
        LinkRatePercent="40", LostLinksPercent="30", SyncErrorPercent="1", SyncAgeHours="12", ApiErrorPercent="9"
    )
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    assert float(alarms["LinkRateAlarm"]["Threshold"]) == 40
    assert float(alarms["LostLinksAlarm"]["Threshold"]) == 30
    assert float(alarms["SyncErrorsAlarm"]["Threshold"]) == 1
    assert float(alarms["ApiErrorsAlarm"]["Threshold"]) == 9
    assert alarms["SyncAgeAlarm"]["EvaluationPeriods"] == 14

    world = World(stack)
    world.scheduled_run(day(0), counts(linked=39, errors=1))
    rings = world.rings(day(0) + 18 * HOUR)
    assert rings.keys() == {"LinkRateAlarm", "SyncErrorsAlarm", "SyncAgeAlarm"}
    [(start, _)] = rings["SyncAgeAlarm"]
    assert 14 * HOUR < start - day(0) <= 15 * HOUR + EXTRACTED_AFTER
