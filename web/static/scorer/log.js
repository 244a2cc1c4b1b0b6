// The log of a match: events are only ever added. What was undone or edited stays in it, and is left out here.

/** @typedef {import("./state.js").Event} Event */

/**
 * The events that count, as they were edited, in order.
 * `undo` takes away the event `of`; `edit` puts `event` in the place of `of`; `over_goes_on` says that the over did
 * not end with the ball before it.
 * @param {Event[]} events
 * @returns {Event[]}
 */
export function standing(events) {
  const undone = undoneIn(events);
  const edits = new Map();
  for (const event of events) if (event.kind === "edit" && !undone.has(event.id)) edits.set(event.of, event.event);
  const found = [];
  for (const event of events) {
    if (undone.has(event.id) || event.kind === "undo" || event.kind === "edit") continue;
    if (event.kind === "over_goes_on") {
      const at = found.findLastIndex(({ kind }) => kind === "ball");
      if (at >= 0) found[at] = { ...found[at], over_goes_on: true };
      continue;
    }
    const edited = edits.get(event.id);
    found.push(edited ? { ...edited, id: event.id, at: event.at } : event);
  }
  return found;
}

/**
 * What `Undo` would take away: the last event that counts; null for none.
 * @param {Event[]} events
 * @returns {Event | null}
 */
export function lastStanding(events) {
  const undone = undoneIn(events);
  return events.findLast(({ id, kind }) => kind !== "undo" && !undone.has(id)) ?? null;
}

/** The ids of what was undone. An undo may be undone, so they are read from the last to the first. */
function undoneIn(events) {
  const undone = new Set();
  for (const event of [...events].reverse()) if (event.kind === "undo" && !undone.has(event.id)) undone.add(event.of);
  return undone;
}
