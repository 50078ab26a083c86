from reg4rec_core import machine


def test_the_rate_is_the_operations_of_the_products_over_their_time(monkeypatch):
    ticks = iter([10.0, 12.0])
    monkeypatch.setattr(machine, "perf_counter", lambda: next(ticks))
    assert machine.matmul_rate(3, inner=4, outer=5) == machine.REPEATS * 2 * 3 * 4 * 5 / 2.0
