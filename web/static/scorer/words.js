// Events of a log in words, for the list of balls and for what was not sent.

import { standing } from "./log.js";

/** @typedef {import("./state.js").Event} Event */

const PLAIN = {
  setup: "Match set up", innings: "Innings begun", swap: "Strike swapped", end_over: "Over ended", end_innings: "Innings ended",
  revise: "Match revised", over_goes_on: "The over went on", squad: "Players named", score: "Score set", retire: "Retired",
  undo: "Undo", edit: "Correction",
};

/** @param {Event} event @returns {string} */
export function inWords(event) {
  if (event.kind === "ball") return ballInWords(event);
  if (event.kind === "batter") return `Batter: ${event.name ?? "no name"}`;
  if (event.kind === "bowler") return `Bowler: ${event.name ?? "no name"}`;
  if (event.kind === "out") return `Out: ${event.how.replaceAll("_", " ")}`;
  if (event.kind === "penalty") return `${event.runs ?? 5} penalty runs`;
  if (event.kind === "break") return event.break ? `Break: ${event.break.replaceAll("_", " ")}` : "Break over";
  if (event.kind === "name") return `${event.from} is now ${event.to}`;
  if (event.kind === "quick") return event.on ? "Quick mode" : "Full scoring";
  return PLAIN[event.kind] ?? event.kind;
}

function ballInWords({ runs = 0, wide, no_ball, bye, leg_bye, wicket, short }) {
  const kinds = [wide && "wide", no_ball && "no-ball", bye && "byes", leg_bye && "leg byes"].filter(Boolean);
  const off = kinds.length || wicket ? "" : runs === 1 ? " run" : " runs";
  const how = wicket && (wicket.how ? `WICKET, ${wicket.how.replaceAll("_", " ")}` : "WICKET");
  return [how, ...kinds, (runs || !wicket) && `${runs}${off}`, short && `${short} short`].filter(Boolean).join(", ");
}

/**
 * The events that count, the newest first, each with its place: the over it was in, as in "14.3".
 * @param {Event[]} events
 * @param {number} most
 */
export function newestFirst(events, most) {
  return standing(events).filter(({ kind }) => kind !== "quick").slice(-most).reverse();
}
