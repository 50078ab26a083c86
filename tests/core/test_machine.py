from pathlib import Path

import pytest

from reg4rec_core import machine


def test_the_rate_is_the_operations_of_the_products_over_their_time(monkeypatch):
    ticks = iter([10.0, 12.0])
    monkeypatch.setattr(machine, "perf_counter", lambda: next(ticks))
    assert machine.matmul_rate(3, inner=4, outer=5) == machine.REPEATS * 2 * 3 * 4 * 5 / 2.0


def test_the_interpreters_rate_is_its_steps_over_their_time_in_millions(monkeypatch):
    ticks = iter([10.0, 10.5])
    monkeypatch.setattr(machine, "perf_counter", lambda: next(ticks))
    assert machine.interpreter_rate() == machine.STEPS / 0.5 / 1e6


def test_a_meter_adds_what_was_spent_before_a_stop(monkeypatch):
    walls, cpus = iter([10.0, 12.5]), iter([1.0, 1.5])
    monkeypatch.setattr(machine, "perf_counter", lambda: next(walls))
    monkeypatch.setattr(machine, "process_time", lambda: next(cpus))
    found = machine.Meter(seconds=100.0, cpu_seconds=50.0).read()
    assert (found["seconds"], found["cpu_seconds"]) == (102.5, 50.5)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak a second way")
def test_peak_memory_is_that_of_the_kernel_in_megabytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    [kibibytes] = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    assert machine.Meter().read()["peak_memory_mb"] == pytest.approx(kibibytes * 1.024e-3, rel=0.01)
