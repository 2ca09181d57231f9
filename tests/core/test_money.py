"""Windows, prices, holds and settlements; unset, 0 and unlimited are three different things."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import QuotaExceeded
from core.money import Allowance, Hold, Period, Rate, Scope, Settlement, plan_hold, settle, window_end, window_start


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    "now, day, day_end, month, month_end",
    [
        (ms(2026, 11, 21, 9, 44), ms(2026, 11, 21), ms(2026, 11, 22), ms(2026, 11, 1), ms(2026, 12, 1)),
        (ms(2026, 11, 21), ms(2026, 11, 21), ms(2026, 11, 22), ms(2026, 11, 1), ms(2026, 12, 1)),
        (ms(2026, 11, 22) - 1, ms(2026, 11, 21), ms(2026, 11, 22), ms(2026, 11, 1), ms(2026, 12, 1)),
        (ms(2026, 11, 30, 23, 59), ms(2026, 11, 30), ms(2026, 12, 1), ms(2026, 11, 1), ms(2026, 12, 1)),
        (ms(2026, 12, 31, 23), ms(2026, 12, 31), ms(2027, 1, 1), ms(2026, 12, 1), ms(2027, 1, 1)),
        (ms(2027, 2, 28, 12), ms(2027, 2, 28), ms(2027, 3, 1), ms(2027, 2, 1), ms(2027, 3, 1)),
        (ms(2028, 2, 28, 12), ms(2028, 2, 28), ms(2028, 2, 29), ms(2028, 2, 1), ms(2028, 3, 1)),
        (ms(2028, 2, 29, 12), ms(2028, 2, 29), ms(2028, 3, 1), ms(2028, 2, 1), ms(2028, 3, 1)),
        (ms(2100, 2, 28, 12), ms(2100, 2, 28), ms(2100, 3, 1), ms(2100, 2, 1), ms(2100, 3, 1)),
        (0, 0, 86_400_000, 0, 31 * 86_400_000),
    ],
)
def test_windows_begin_and_end_where_the_calendar_says(
    now: int, day: int, day_end: int, month: int, month_end: int
) -> None:
    assert window_start(Period.DAY, now) == day
    assert window_end(Period.DAY, day) == day_end
    assert window_start(Period.MONTH, now) == month
    assert window_end(Period.MONTH, month) == month_end


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.sampled_from(Period),
)
def test_windows_follow_each_other_without_a_gap(at: datetime, period: Period) -> None:
    now = int(at.timestamp() * 1000)
    start = window_start(period, now)
    end = window_end(period, start)
    assert start <= now < end
    assert window_start(period, start) == start
    assert window_start(period, end - 1) == start
    assert window_start(period, end) == end
    begun = datetime.fromtimestamp(start / 1000, UTC)
    assert begun.timetuple()[3:6] == (0, 0, 0)
    assert period is Period.DAY or begun.day == 1
    assert end - start == (86_400_000 if period is Period.DAY else _days_of(begun) * 86_400_000)


def _days_of(month: datetime) -> int:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1).toordinal() - month.toordinal()


# ---- prices


@pytest.mark.parametrize(
    "rate, said, credits",
    [
        (Rate(), {}, 0),
        (Rate(flat=Decimal("0.25")), {}, 25),
        (Rate(flat=Decimal("0.2501")), {}, 26),
        (Rate(flat=Decimal(0)), {}, 0),
        (Rate(flat=Decimal("0.000001")), {}, 1),
        (Rate(per_second={("720p", True): Decimal("0.15")}), {"seconds": 8}, 120),
        (Rate(per_second={("720p", True): Decimal("0.15")}), {"seconds": 1}, 15),
        (Rate(per_second={("720p", True): Decimal("0.1001")}), {"seconds": 3}, 31),
        (Rate(per_second={("720p", True): Decimal("0.4"), ("1080p", False): Decimal("0.2")}), {"resolution": "1080p", "audio": False}, 160),
        (Rate(flat=Decimal(1), per_second={("720p", True): Decimal(9)}), {}, 100),
    ],
)  # fmt: skip
def test_prices_round_up_to_a_whole_cent(rate: Rate, said: dict[str, Any], credits: int) -> None:
    assert rate.credits(**{"resolution": "720p", "audio": True, "seconds": 8, **said}) == credits


def test_a_price_that_is_not_listed_is_no_price() -> None:
    with pytest.raises(KeyError):
        Rate(per_second={("720p", True): Decimal("0.15")}).credits(resolution="4k", audio=True, seconds=8)


@given(st.decimals(0, 100, places=4), st.integers(1, 60))
def test_a_price_is_never_below_what_the_vendor_takes_and_less_than_a_cent_above(usd: Decimal, seconds: int) -> None:
    credits = Rate(per_second={("720p", True): usd}).credits(resolution="720p", audio=True, seconds=seconds)
    assert usd * seconds * 100 <= credits < usd * seconds * 100 + 1


# ---- holds


def allowance(
    scope: Scope = Scope.PERSON, period: Period = Period.DAY, limit: int | None = 100, used: int = 0
) -> Allowance:
    start = window_start(period, ms(2026, 11, 21, 9))
    return Allowance(scope, "who", period, start, limit, held=used // 2, spent=used - used // 2)


@pytest.mark.parametrize(
    "limit, used, left", [(None, 10**9, None), (0, 0, 0), (100, 0, 100), (100, 60, 40), (50, 80, 0)]
)
def test_what_is_left(limit: int | None, used: int, left: int | None) -> None:
    assert allowance(limit=limit, used=used).left == left


def test_unset_zero_and_unlimited_are_three_things() -> None:
    assert plan_hold(5, [], 0).rows == ()  # nothing counts: nothing limits
    assert plan_hold(5, [allowance(limit=None)], 0).from_grants == 0
    with pytest.raises(QuotaExceeded):
        plan_hold(1, [allowance(limit=0)], 0)
    assert plan_hold(5, [allowance(limit=0)], 5).from_grants == 5


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("limit, used", [(0, 0), (10, 10), (10, 99), (None, 5)])
def test_what_costs_nothing_passes_every_limit(scope: Scope, limit: int | None, used: int) -> None:
    hold = plan_hold(0, [allowance(scope, limit=limit, used=used)], 0)
    assert (hold.credits, hold.from_grants, len(hold.rows)) == (0, 0, 1)


def test_the_allowance_comes_first_and_grants_last() -> None:
    rows = [allowance(used=70), allowance(period=Period.MONTH, limit=1000)]
    assert plan_hold(30, rows, 500).from_grants == 0
    assert plan_hold(31, rows, 500).from_grants == 1
    assert plan_hold(530, rows, 500).from_grants == 500
    with pytest.raises(QuotaExceeded) as refused:
        plan_hold(531, rows, 500)
    assert refused.value.values == {
        "needed": 531,
        "left": 530,
        "scope": "person",
        "period": "day",
        "resets_at": ms(2026, 11, 22),
    }


def test_the_tighter_of_day_and_month_is_the_one_that_is_told() -> None:
    rows = [allowance(used=70), allowance(period=Period.MONTH, limit=1000, used=990)]
    with pytest.raises(QuotaExceeded) as refused:
        plan_hold(40, rows, 5)
    assert (refused.value.values["period"], refused.value.values["left"]) == ("month", 15)
    assert refused.value.values["resets_at"] == ms(2026, 12, 1)


@pytest.mark.parametrize("scope", [Scope.CHAT, Scope.ROLE, Scope.EVERYBODY])
def test_grants_do_not_go_round_the_operators_caps(scope: Scope) -> None:
    rows = [allowance(limit=None), allowance(scope, limit=10)]
    assert plan_hold(10, rows, 0).share(scope) == 10
    with pytest.raises(QuotaExceeded) as refused:
        plan_hold(11, rows, 10_000)
    assert (refused.value.values["scope"], refused.value.values["left"]) == (scope.value, 10)


def test_a_shared_cap_is_told_in_other_words_than_ones_own() -> None:
    with pytest.raises(QuotaExceeded) as own:
        plan_hold(11, [allowance(limit=10)], 0)
    with pytest.raises(QuotaExceeded) as shared:
        plan_hold(11, [allowance(Scope.EVERYBODY, limit=10)], 0)
    assert own.value.message_id == "error.quota_exceeded"
    assert shared.value.message_id == "error.quota_exceeded_shared"


ROWS = st.lists(
    st.builds(
        allowance,
        st.sampled_from(Scope),
        st.sampled_from(Period),
        st.none() | st.integers(0, 40),
        st.integers(0, 60),
    ),
    max_size=6,
)


@given(st.integers(0, 60), ROWS, st.integers(0, 60))
def test_a_hold_takes_the_least_from_the_grants_that_every_limit_allows(
    credits: int, rows: list[Allowance], granted: int
) -> None:
    def fits(from_grants: int) -> bool:
        debits = ((row, credits - from_grants if row.scope is Scope.PERSON else credits) for row in rows)
        return all(
            row.limit is None or debit == 0 or row.held + row.spent + debit <= row.limit for row, debit in debits
        )

    least = next((n for n in range(min(granted, credits) + 1) if fits(n)), None)
    try:
        hold = plan_hold(credits, rows, granted)
    except QuotaExceeded as refused:
        assert least is None
        values = refused.values
        assert values["needed"] == credits > values["left"] >= 0
        return
    assert hold.from_grants == least
    assert hold.credits == credits == hold.from_allowance + hold.from_grants
    assert all(hold.share(row.scope) >= 0 for row in rows)
    assert hold.rows == tuple((row.scope, row.subject, row.period, row.window_start) for row in rows)
    assert Hold.from_json(hold.as_json()) == hold


# ---- settlements


@pytest.mark.parametrize(
    "held, cost, settlement",
    [
        (40, None, Settlement(40, 0)),
        (40, 40, Settlement(40, 0)),
        (40, 25, Settlement(25, 0)),
        (40, 0, Settlement(0, 0)),
        (40, 55, Settlement(40, 15)),
        (0, None, Settlement(0, 0)),
        (0, 3, Settlement(0, 3)),
    ],
)
def test_never_more_is_charged_than_was_held(held: int, cost: int | None, settlement: Settlement) -> None:
    assert settle(Hold(held, 0, ()), cost) == settlement


@given(st.integers(0, 100), st.none() | st.integers(0, 200))
def test_a_settlement_loses_no_credit(held: int, cost: int | None) -> None:
    done = settle(Hold(held, 0, ()), cost)
    assert 0 <= done.charge <= held
    assert done.charge + done.overrun == (held if cost is None else cost)


@pytest.mark.parametrize(
    "cost, settlement",
    [(None, Settlement(10, 0)), (2, Settlement(10, 0)), (0, Settlement(10, 0)), (10, Settlement(10, 0)), (15, Settlement(10, 5))],
)  # fmt: skip
def test_a_flat_price_is_due_whatever_the_clip_cost(cost: int | None, settlement: Settlement) -> None:
    hold = plan_hold(10, (), 0, flat=True)
    assert settle(Hold.from_json(hold.as_json()), cost) == settlement
    assert settle(plan_hold(10, (), 0), 2) == Settlement(2, 0)
