// How long to wait before the next attempt: full jitter, so that many pages do not come back in step.

const FIRST = 500;
const LONGEST = 30_000;
const POLICY_FIRST = 3_000;
const POLICY_LONGEST = 60_000;
/** After an announced restart the server is back in seconds: short waits first, the usual ones later. */
const RESTART_SHORT = 800;
const RESTART_ATTEMPTS = 12;

/** Milliseconds to wait before attempt number `attempt` (from 0). */
export function backoff(attempt, random = Math.random) {
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 16));
  return Math.round(random() * ceiling);
}

/** The same after close code 1008, which asks for less: a pause in any case, a longer one each time. */
export function policyWait(attempt, random = Math.random) {
  return Math.min(POLICY_LONGEST, POLICY_FIRST * 2 ** Math.min(attempt, 16)) + Math.round(random() * POLICY_FIRST);
}

/** The same after close code 1012: the first waits stay under a second. */
export function restartWait(attempt, random = Math.random) {
  if (attempt >= RESTART_ATTEMPTS) return backoff(attempt - RESTART_ATTEMPTS, random);
  return 200 + Math.round(random() * RESTART_SHORT);
}
