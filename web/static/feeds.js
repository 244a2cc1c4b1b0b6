// Tries a feed before the match, and goes back to it after a score by hand.

import { ask, order, SessionEnded } from "./service.js";

// A feed may take its time, and then its strip is drawn.
const TRY_LIMIT_MS = 20000;

/**
 * Ask the feed that is chosen in the form for its match. Shows the strip, and says what the feed lacks.
 * @param {HTMLFormElement} form
 */
export async function tryFeed(form) {
  const [said, strip] = [form.querySelector("#trial"), form.querySelector("#trial-strip")];
  const feed = form.elements.feed.value;
  const matchId = form.elements.match_id.value.trim() || form.elements.stream_name.value.trim();
  strip.hidden = true;
  if (!feed || !matchId) {
    said.textContent = feed ? "Enter the match first." : "Choose a feed first.";
    (feed ? form.elements.match_id : form.elements.feed).focus();
    return;
  }
  said.textContent = `Asking ${feed} …`;
  try {
    const answer = await ask(`/feeds/${feed}/try`, { method: "POST", body: { match_id: matchId }, limitMs: TRY_LIMIT_MS });
    const told = await answer.json();
    said.textContent = answer.ok ? words(told) : told.error;
    if (!answer.ok || !told.match) return;
    strip.src = `/feeds/${feed}/try.png?match_id=${encodeURIComponent(matchId)}`;
    strip.alt = `The strip that ${feed} would give`;
    strip.hidden = false;
  } catch (error) {
    if (!(error instanceof SessionEnded)) said.textContent = "The service does not answer";
  }
}

function words({ match, lacks, note, took_s: took }) {
  if (!match) return `The feed answers: ${note}.`;
  const sides = [match.batting, match.bowling, match.home, match.away].filter(Boolean).map(({ name }) => name);
  const missing = lacks.length ? ` It does not say: ${lacks.join(", ").replaceAll("_", " ")}.` : "";
  return `${sides.join(" – ") || match.title}, answered in ${took.toFixed(1)} s.${missing}`;
}

/**
 * Let the feed count again. Returns what is wrong, or "".
 * @param {string} name of the stream
 * @param {string} feed its name; "" is the match API
 */
export function backToFeed(name, feed) {
  return order(`/streams/${name}`, "PATCH", { feed: feed || null });
}
