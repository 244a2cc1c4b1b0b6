// What the page asks for in a dialog. Each calls `done` with an event, or is closed without one.

import { HOWS } from "./innings.js";
import { current } from "./state.js";

/** @typedef {import("./state.js").Match} Match */

const HOW_WORDS = {
  bowled: "Bowled", caught: "Caught", lbw: "LBW", run_out: "Run out", stumped: "Stumped", hit_wicket: "Hit wicket",
  retired_out: "Retired out", obstructing: "Obstructing the field", timed_out: "Timed out", hit_twice: "Hit the ball twice",
};
const BREAKS = {
  drinks: "Drinks", lunch: "Lunch", tea: "Tea", innings: "Between innings", rain: "Rain", bad_light: "Bad light",
  stumps: "Stumps", delay: "Delay",
};
let made = 0;

/** An element. A property that begins with "on" is a listener; text and elements are its content. */
export function h(tag, properties = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...content.filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

/**
 * Opens a dialog with a form. `submit` gets the form's fields, and returns what is wrong, or "" if it may close.
 * @param {string} title its accessible name
 * @param {(Node | string)[]} content
 * @param {string} button
 * @param {(fields: FormData) => string | void} submit
 */
export function openDialog(title, content, button, submit) {
  const error = h("p", { class: "error", role: "alert" });
  const form = h("form", { method: "dialog", novalidate: true },
    h("h2", { id: `dialog-${(made += 1)}` }, title), ...content, error,
    h("div", { class: "actions" }, button && h("button", {}, button), h("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Close")));
  const dialog = h("dialog", { "aria-labelledby": `dialog-${made}`, onclose: () => dialog.remove() }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = submit(new FormData(form));
    error.textContent = wrong || "";
    if (!wrong) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export const isOpen = () => document.querySelector("dialog[open]") !== null;

function field(label, properties) {
  return h("label", { class: "field" }, label, h("input", { autocomplete: "off", maxlength: 60, ...properties }));
}

function spin(label, name, value, least = 0, most = 20) {
  return field(label, { name, type: "number", inputmode: "numeric", min: least, max: most, value });
}

function combobox(label, name, options) {
  const list = `options-${(made += 1)}`;
  return h("div", { class: "field" },
    h("label", {}, label, h("input", { name, list, autocomplete: "off", maxlength: 60 })),
    h("datalist", { id: list }, ...options.map((value) => h("option", { value }))));
}

function choices(legend, name, options, chosen) {
  const id = `legend-${(made += 1)}`;
  return h("fieldset", { role: "radiogroup", "aria-labelledby": id }, h("legend", { id }, legend),
    ...Object.entries(options).map(([value, word]) =>
      h("label", { class: "check" }, h("input", { type: "radio", name, value, checked: value === chosen }), word)));
}

const check = (label, name, checked = false) =>
  h("label", { class: "check" }, h("input", { type: "checkbox", name, checked }), label);

const batters = ({ striker, nonStriker }) => ({
  ...(striker && { striker: striker.name }), ...(nonStriker && { non_striker: nonStriker.name }),
});

const text = (fields, name) => String(fields.get(name) ?? "").trim() || undefined;
const number = (fields, name) => (text(fields, name) === undefined ? undefined : Number(text(fields, name)));

/** @param {Match} match @param {Record<string, boolean>} flags of this delivery @param {(event: object) => string} done */
export function wicket(match, flags, done) {
  const innings = current(match);
  const who = batters(innings);
  const names = Object.keys(who).length ? who : { striker: "The striker", non_striker: "The non-striker" };
  openDialog("Wicket", [
    choices("How out", "how", Object.fromEntries(HOWS.map((how) => [how, HOW_WORDS[how]])), flags.wide ? "stumped" : "bowled"),
    choices("Who is out", "who", names, Object.keys(names)[0]),
    h("div", { class: "pair" }, spin("Runs completed", "runs", 0), field("Fielder", { name: "fielder", list: "fielders" })),
    h("datalist", { id: "fielders" }, ...(match.squads[innings.bowling] ?? []).map((value) => h("option", { value }))),
    check("Batters crossed", "crossed"),
  ], "Record wicket", (fields) => {
    const how = text(fields, "how");
    const out = { how, who: text(fields, "who"), fielder: text(fields, "fielder") };
    if (how === "retired_out" || how === "timed_out") return done({ kind: "out", ...out });
    const runs = number(fields, "runs") ?? 0;
    return done({ kind: "ball", runs, ...flags, boundary: false, wicket: { ...out, crossed: fields.has("crossed") } });
  });
}

/** One tap for the likely ones, a field for any other. */
function nextPlayer(title, button, likely, done, ...more) {
  const pick = (name) => () => {
    dialog.close();
    done(name);
  };
  const dialog = openDialog(title, [
    ...more,
    likely.length > 0 && h("div", { class: "chips", role: "group", "aria-label": "Likely" },
      ...likely.map((name) => h("button", { type: "button", class: "plain", onclick: pick(name) }, name))),
    combobox(title, "name", likely),
  ].filter(Boolean), button, (fields) => done(text(fields, "name")));
  if (!likely.length) dialog.querySelector("input").focus();
  return dialog;
}

export function nextBatter(match, done, undo) {
  const innings = current(match);
  const used = new Set(innings.batters.filter(({ status }) => status !== "retired_hurt").map(({ name }) => name));
  const hurt = innings.batters.filter(({ status }) => status === "retired_hurt").map(({ name }) => name);
  const likely = [...(match.squads[innings.batting] ?? []).filter((name) => !used.has(name) && !hurt.includes(name)), ...hurt];
  nextPlayer("Next batter", "Bat", likely, (name) => done({ kind: "batter", name }), stepBack(undo));
}

export function nextBowler(match, done, undo) {
  const innings = current(match);
  const last = innings.past.at(-1);
  const bowled = [...new Set([...innings.past].reverse().flatMap((over) => over.bowlers))];
  // The one who bowled the over before the last comes first: he bowls from this end.
  const likely = [...bowled.filter((one) => one !== innings.barred).map(({ name }) => name)];
  const others = (match.squads[innings.bowling] ?? []).filter((name) => !bowled.some((one) => one.name === name));
  const recap = last && h("p", { class: "help" }, `Over ${innings.past.length}: ${last.labels.join(" ")} – ${last.runs} runs`);
  const dialog = nextPlayer("Next bowler", "Bowl", [...likely, ...others], (name) => done({ kind: "bowler", name }), recap,
    h("div", { class: "actions" }, stepBack(undo), h("button", {
      type: "button", class: "plain", onclick: () => { dialog.close(); done({ kind: "over_goes_on" }); },
    }, "The over goes on")));
}

function stepBack(undo) {
  return h("button", { type: "button", class: "plain", onclick: (event) => { event.target.closest("dialog").close(); undo(); } }, "Step back");
}

export function interval(match, done) {
  openDialog("Break", [choices("Break", "break", BREAKS, "drinks")], "Start break", (fields) =>
    done({ kind: "break", break: text(fields, "break") }));
}

export function retire(match, done) {
  openDialog("Retire", [
    choices("Who retires", "who", batters(current(match)), "striker"),
    choices("Why", "how", { hurt: "Hurt or ill: may bat again", out: "Out" }, "hurt"),
  ], "Record", (fields) => done(text(fields, "how") === "out"
    ? { kind: "out", how: "retired_out", who: text(fields, "who") } : { kind: "retire", who: text(fields, "who") }));
}

export function penalty(match, done) {
  const { batting, bowling } = current(match);
  openDialog("Penalty runs", [choices("To", "to", { batting, bowling }, "batting"), spin("Runs", "runs", 5, 1, 20)], "Add", (fields) =>
    done({ kind: "penalty", to: text(fields, "to"), runs: number(fields, "runs") }));
}

export function revise(match, done) {
  const { revised } = match;
  openDialog("Revise", [
    h("p", { class: "help" }, "After an interruption, as the umpires say. Leave empty what stays as it is."),
    spin("Overs", "overs", revised?.overs, 1, 450), spin("Target", "target", revised?.target, 1, 9999),
    field("Method", { name: "method", value: revised?.method ?? "DLS" }),
  ], "Revise", (fields) => done({ kind: "revise", overs: number(fields, "overs"), target: number(fields, "target"), method: text(fields, "method") }));
}

/** Any delivery, also one that was bowled before. @param {Record<string, any>} ball what the form begins with */
export function otherBall(ball, title, done) {
  openDialog(title, [
    spin("Runs from the ball", "runs", ball.runs ?? 0), spin("Short runs", "short", ball.short ?? 0, 0, 10),
    check("Wide", "wide", ball.wide), check("No ball", "no_ball", ball.no_ball), check("Bye", "bye", ball.bye),
    check("Leg bye", "leg_bye", ball.leg_bye),
    choices("Boundary", "boundary", { auto: "4 and 6 are boundaries", yes: "Boundary", no: "All run" },
      ball.boundary === undefined ? "auto" : ball.boundary ? "yes" : "no"),
    spin("Runs that the batters ran, if others", "ran", ball.ran),
  ], "Record", (fields) => {
    const on = (name) => fields.has(name) || undefined;
    const boundary = text(fields, "boundary");
    return done({
      ...ball, kind: "ball", runs: number(fields, "runs") ?? 0, short: number(fields, "short") || undefined, wide: on("wide"), no_ball: on("no_ball"),
      bye: on("bye"), leg_bye: on("leg_bye"), boundary: boundary === "auto" ? undefined : boundary === "yes", ran: number(fields, "ran"),
    });
  });
}

export function setScore(match, done) {
  const innings = current(match);
  openDialog("Set the score", [
    h("p", { class: "help" }, "Balls that you have missed: say what the score is now."),
    spin("Runs", "runs", innings.runs, 0, 9999), spin("Wickets", "wickets", innings.wickets, 0, match.format.players),
    field("Overs", { name: "overs", inputmode: "decimal", value: `${innings.overs}.${innings.over.legal}`, pattern: "\\d{1,3}(\\.\\d)?" }),
    spin("Target", "target", innings.target, 1, 9999),
  ], "Set", (fields) => {
    const overs = text(fields, "overs");
    if (overs !== undefined && !/^\d{1,3}(\.\d{1,2})?$/.test(overs)) return "Overs: write overs and balls as in 14.3";
    const event = { kind: "score", runs: number(fields, "runs"), wickets: number(fields, "wickets"), target: number(fields, "target") };
    return done(overs === `${innings.overs}.${innings.over.legal}` ? event : { ...event, overs });
  });
}

/** @param {Match} match @param {(event: object) => string} done @param {boolean} isTied */
export function nextInnings(match, done, isTied) {
  const last = current(match);
  const [first, second] = [last.bowling, last.batting];
  openDialog("Next innings", [
    choices("Batting", "batting", { [first]: first, [second]: second }, isTied ? second : first),
    combobox("Striker", "striker", match.squads[first] ?? []), combobox("Non-striker", "non_striker", match.squads[first] ?? []),
    combobox("Opening bowler", "bowler", match.squads[second] ?? []),
    match.format.innings_per_side > 1 && check("Follow-on", "follow_on"),
    check("Super over", "super_over", isTied),
  ].filter(Boolean), "Start innings", (fields) => done({
    kind: "innings", batting: text(fields, "batting"), striker: text(fields, "striker"), non_striker: text(fields, "non_striker"),
    bowler: text(fields, "bowler"), follow_on: fields.has("follow_on") || undefined, super_over: fields.has("super_over") || undefined,
  }));
}

export function endInnings(match, done) {
  openDialog("End innings", [choices("Why", "how", { declared: "Declared", closed: "Time, or no batter left", forfeited: "Forfeited" },
    match.format.innings_per_side > 1 ? "declared" : "closed")], "End the innings", (fields) => done({ kind: "end_innings", how: text(fields, "how") }));
}

/** Names of teams and players, also of those who have batted or bowled already. */
export function names(match, done) {
  const innings = current(match);
  const people = match.teams.flatMap((team) => {
    const seen = match.innings.flatMap((one) => (one.batting === team ? one.batters : one.bowlers)).map(({ name }) => name);
    return [...new Set([...seen, ...(match.squads[team] ?? [])])].map((name) => ["player", team, name]);
  });
  const all = [...match.teams.map((team) => ["team", team, team]), ...people];
  const area = (team, place) => h("label", { class: "field" }, `${team} players`, h("textarea", { name: `squad${place}`, rows: 4 }, (match.squads[team] ?? []).join("\n")));
  openDialog("Names", [
    h("label", { class: "field" }, "Who", h("select", { name: "who" }, ...all.map(([what, team, name], at) =>
      h("option", { value: at }, what === "team" ? `${name} (team)` : `${name} (${team})`)))),
    field("New name", { name: "to" }),
    h("p", { class: "help" }, "Or paste a whole side, one name a line:"), area(innings.batting, 0), area(innings.bowling, 1),
  ], "Save names", (fields) => {
    let wrong = "";
    [innings.batting, innings.bowling].forEach((team, place) => {
      const squad = lines(fields.get(`squad${place}`));
      if (squad.join("\n") !== (match.squads[team] ?? []).join("\n")) wrong ||= done({ kind: "squad", team, names: squad });
    });
    const to = text(fields, "to");
    const [what, team, from] = all[Number(fields.get("who"))];
    return wrong || (to ? done({ kind: "name", what, team, from, to }) : "");
  });
}

/** @param {unknown} value of a text area @returns {string[]} its lines, without numbers and blanks around names */
export function lines(value) {
  return [...new Set(String(value ?? "").split(/[\n,;]/).map((line) => line.replace(/^\s*\d+[.)]?\s+/, "").trim().slice(0, 60)).filter(Boolean))].slice(0, 20);
}
