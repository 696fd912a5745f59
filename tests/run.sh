#!/bin/sh
# usage: run.sh PYTHON [pytest's arguments]
# Runs two test files at a time, as most tests wait for servers and browsers. Some watch deadlines: in CI
# what failed beside others is run once more, alone, and must pass then, or the run fails.
python=$1
shift
"$python" -m pytest --numprocesses 2 --dist loadfile "$@"
status=$?
if [ "$status" -ne 1 ] || [ -z "${CI:-}" ]; then
    exit "$status"
fi
echo "FAILED above; the failed tests run once more, one at a time" >&2
exec "$python" -m pytest --last-failed --last-failed-no-failures none "$@"
