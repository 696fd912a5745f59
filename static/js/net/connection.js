// The life of one connection as a pure function: what happened goes in, the next state and what to do come out.
// No socket, no clock and no page here, so that every path can be tested.

import { backoff, policyWait, restartWait } from "./backoff.js";
import { CLOSE } from "./protocol.js";

/** Why the connection is not live: the page has one sentence for each. */
const WHY = Object.freeze({
  [CLOSE.POLICY]: "policy",
  [CLOSE.TOO_LARGE]: "tooLarge",
  [CLOSE.RESTART]: "restart",
  [CLOSE.TRY_LATER]: "unavailable",
  [CLOSE.UNAUTHORIZED]: "notSignedIn",
  [CLOSE.SESSION_EXPIRED]: "expired",
});

/** How a page starts: it has not been live yet. */
export const START = Object.freeze({ state: "connecting", attempt: 0, why: null, blocked: false, restarting: false });

const CONNECT = Object.freeze({ do: "connect" });
const NOTHING = Object.freeze({ do: "nothing" });

/**
 * One step of the connection.
 *
 * @param {object} now the state: {state, attempt, why, blocked, restarting}
 * @param {object} happening {type: "open" | "close" | "due" | "wake" | "retry" | "foreign" | "signedIn", code?,
 *   reason?}
 * @returns {{next: object, act: object}} act is {do: "connect"}, {do: "wait", ms}, {do: "signIn"}, {do: "stop"} or
 *   {do: "nothing"}
 */
export function step(now, happening, random = Math.random) {
  switch (happening.type) {
    case "open":
      return { next: { ...START, state: "live" }, act: NOTHING };
    case "close":
      return closed(now, happening, random);
    case "due":
      return now.state === "away" && !now.blocked ? { next: now, act: CONNECT } : { next: now, act: NOTHING };
    case "wake":
      // The network or the tab is back: no reason to sit out a long wait.
      if (now.state !== "away" || now.blocked || now.why === "policy") return { next: now, act: NOTHING };
      return { next: { ...now, attempt: 0 }, act: CONNECT };
    case "retry":
      if (now.state !== "away") return { next: now, act: NOTHING };
      return { next: { ...now, attempt: 0, blocked: false }, act: CONNECT };
    case "foreign":
      // The cookie now belongs to someone else's session (a sign-in in another tab): nothing of this page may go there.
      return { next: { ...START, state: "signedOut", why: "otherUser" }, act: { do: "signIn" } };
    case "signedIn":
      if (now.state !== "signedOut") return { next: now, act: NOTHING };
      return { next: { ...START, state: "away", why: "signedIn" }, act: CONNECT };
    default:
      throw new TypeError(`unknown happening: ${happening.type}`);
  }
}

function closed(now, { code, reason = "" }, random) {
  const why = WHY[code] ?? "lost";
  if (code === CLOSE.UNAUTHORIZED || code === CLOSE.SESSION_EXPIRED) {
    return { next: { ...START, state: "signedOut", why }, act: { do: "signIn" } };
  }
  if (code === CLOSE.TOO_LARGE) {
    return { next: { ...START, state: "away", why, detail: reason, blocked: true }, act: { do: "stop" } };
  }
  const restarting = code === CLOSE.RESTART || (now.restarting && now.state === "away");
  const attempt = now.state === "away" && code !== CLOSE.RESTART ? now.attempt + 1 : 0;
  if (code === CLOSE.POLICY) {
    return {
      next: { ...START, state: "away", why, detail: reason, attempt },
      act: { do: "wait", ms: policyWait(attempt, random) },
    };
  }
  const ms = restarting ? restartWait(attempt, random) : backoff(attempt, random);
  const shown = restarting ? "restart" : why;
  return { next: { ...START, state: "away", why: shown, attempt, restarting }, act: { do: "wait", ms } };
}
