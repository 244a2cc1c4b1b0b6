// Calls the service that this page comes from.

const ANSWER_LIMIT_MS = 6000;

export class SessionEnded extends Error {}

export async function ask(path, { method = "GET", body, limitMs = ANSWER_LIMIT_MS, ...more } = {}) {
  const headers = {};
  if (method !== "GET") {
    headers["Content-Type"] = "application/json";
    headers["X-CSRF-Token"] = document.querySelector('meta[name="csrf-token"]').content;
  }
  const signal = AbortSignal.timeout(limitMs);
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal, ...more });
  if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === "/login")) {
    location.assign("/login");
    throw new SessionEnded();
  }
  return answer;
}

// Calls the API. Returns what is wrong, in words, or "" if it worked.
export async function order(path, method, body, limitMs) {
  try {
    const answer = await ask(path, { method, body, limitMs });
    if (answer.ok) return "";
    const { error, help } = await answer.json();
    return [error || `The service answers ${answer.status}`, help].filter(Boolean).join(". ");
  } catch (error) {
    return error instanceof SessionEnded ? "" : "The service does not answer";
  }
}
