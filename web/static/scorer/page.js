// The scorer's page: what is tapped goes into the log, and what the log comes to is shown, at once and without a network.

import { board, cardText, resultOf } from "./board.js";
import * as dialogs from "./dialogs.js";
import { fold } from "./innings.js";
import { lastStanding } from "./log.js";
import { Outbox } from "./outbox.js";
import { bowlersOvers, current, endOf, isAlone, oversOf } from "./state.js";
import { inWords, newestFirst } from "./words.js";

const { h, openDialog } = dialogs;
const SAME_TAP_MS = 300;
const TICK_MS = 12;
const WAITING_AFTER_MS = 1000;
const OVERLAY_MS = 4000;
const NAME = decodeURIComponent(location.pathname.split("/").pop());
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const ENDS = { all_out: "all out", overs: "the overs are bowled", target: "the target is reached" };

let match = fold([]);
let flags = {};
let asked = ""; // for which state a dialog was opened or put off
let isBack = false; // after an undo nothing is asked for
let lastTap = { button: null, at: 0 };
let shownTrouble = "";
let overlayAt = 0;

document.documentElement.classList.add("js");
document.title = `Score ${NAME}`;
const outbox = new Outbox(NAME, location.hash.slice(1), (events) => board(fold(events)), changed);

/** Adds an event, unless it does not fit. @returns {string} what is wrong, or "" */
function tap(event) {
  const now = [...outbox.events, { id: "new", ...event }];
  const { flagged } = fold(now);
  const fault = flagged.find(({ id }) => id === "new" || id === event.of);
  if (fault && event.kind !== "undo") return sentence(fault.why);
  isBack = false;
  flags = {};
  navigator.vibrate?.(TICK_MS);
  outbox.add(event);
  return "";
}

/** As `tap`, from a button of the page itself. */
function press(event) {
  say(tap(event));
}

function say(wrong) {
  write(element("said"), wrong);
}

function undo() {
  const last = lastStanding(outbox.events);
  if (!last) return;
  press({ kind: "undo", of: last.id });
  isBack = true;
  render();
}

function changed() {
  match = fold(outbox.events);
  render();
}

function render() {
  renderLine();
  renderTrouble();
  const innings = current(match);
  const canBegin = outbox.isHeard || outbox.events.length > 0 || outbox.isOffline;
  element("setup").hidden = Boolean(innings) || !canBegin || outbox.isTaken;
  element("play").hidden = !innings;
  if (!innings) return;
  renderBoard(innings);
  renderPad(innings);
  ask(innings);
  showOverlay();
}

function renderLine() {
  const waiting = outbox.unsent.length;
  const sent = element("sent");
  const isLate = waiting > 0 && Date.now() - outbox.unsent[0].at >= WAITING_AFTER_MS;
  const words = outbox.isOffline ? "No connection: keep scoring" : waiting && (isLate || outbox.refusal) ? counted(waiting, "ball") + " waiting" : "All sent";
  if (waiting && !isLate) setTimeout(renderLine, WAITING_AFTER_MS);
  write(sent, outbox.isHeard || outbox.isOffline ? words : "");
  sent.className = words === "All sent" ? "good" : "warn";
  write(element("waiting"), outbox.isOffline && waiting ? `${waiting} waiting` : "");
  const { state, on_air: air } = outbox.stream;
  const airs = { live: "On air", slate: "On air: the slate" };
  write(element("air"), state ? airs[air] ?? airs[state] ?? "Not on air" : "");
}

/** What the scorer must know or decide, above everything else. */
function renderTrouble() {
  const { unsent, writer } = outbox;
  const place = element("trouble");
  const text = [];
  const buttons = [];
  if (outbox.isTaken) {
    text.push(`${writer?.label || "Another phone"} scores this match now.`);
    if (unsent.length) {
      text.push(`${counted(unsent.length, "ball")} of this phone ${unsent.length === 1 ? "was" : "were"} not sent: ${unsent.slice(0, 12).map(inWords).join("; ")}${unsent.length > 12 ? " …" : ""}.`);
      buttons.push(["Take over and add them", () => outbox.takeOver(true)], ["Take over without them", () => outbox.takeOver(false)]);
    } else buttons.push(["Take over", () => outbox.takeOver(false)]);
  }
  if (outbox.refusal) {
    text.push(`${outbox.refusal}.`);
    if (unsent.length) text.push(`${counted(unsent.length, "ball")} ${unsent.length === 1 ? "is" : "are"} kept on this phone.`);
    buttons.push(["Try again", () => outbox.tryAgain()]);
  }
  const { typed } = outbox;
  if (typed && !outbox.isTaken) {
    text.push(`Somebody has set the score to ${typed.runs ?? "–"}/${typed.wickets ?? "–"}${typed.overs ? ` (${typed.overs})` : ""}. Viewers see that until your next ball.`);
    const given = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== null));
    buttons.push(["Take it", () => press({ kind: "score", ...given })], ["Keep mine", () => outbox.show()]);
  }
  if (!outbox.isStored) text.push("This phone keeps nothing: leave the page open until all is sent.");
  const said = JSON.stringify([text, buttons.map(([word]) => word)]);
  if (said === shownTrouble) return;
  shownTrouble = said;
  place.hidden = !text.length;
  place.replaceChildren(...text.map((line) => h("p", {}, line)), h("div", { class: "actions" },
    ...buttons.map(([word, act]) => h("button", { type: "button", onclick: act }, word))));
}

function renderBoard(innings) {
  const { format } = match;
  write(element("side"), innings.batting);
  const length = format.balls && !innings.isSuperOver ? `${innings.balls} balls` : `${oversOf(innings, format)} overs`;
  const score = `${innings.runs}/${innings.wickets}`;
  if (element("score").dataset.shown !== score + length) {
    element("score").dataset.shown = score + length;
    element("score").replaceChildren(score, " ", h("small", {}, `(${length})`));
  }
  write(element("chase"), chase(innings));
  const ends = match.isQuick ? [] : [innings.striker, innings.nonStriker];
  element("crease").replaceChildren(...ends.flatMap((one, place) => (one
    ? [h("li", { class: place ? "" : "strikes" }, h("span", {}, `${one.name}${place ? "" : " *"}`), h("span", {}, `${one.runs} (${one.balls})`))] : [])));
  const { bowler } = innings;
  write(element("bowling"), bowler && !match.isQuick
    ? `${bowler.name}  ${bowlersOvers(bowler, format)}-${bowler.maidens}-${bowler.runs}-${bowler.wickets}` : "");
  const over = innings.over.labels.length ? innings.over : innings.past.at(-1);
  write(element("over"), over ? `${over === innings.over ? "This over" : "Last over"}: ${over.labels.join(" ")}` : "");
}

function chase(innings) {
  const result = resultOf(match);
  if (result) return result.text;
  const said = [];
  if (match.interval) said.push(sentence(match.interval.replaceAll("_", " ")));
  if (innings.isFreeHit) said.push("Free hit");
  if (innings.target !== null) {
    const left = innings.oversLimit === null ? null : innings.oversLimit * match.format.balls_per_over - legalBalls(innings);
    said.push(`Need ${innings.target - innings.runs}${left === null ? "" : ` from ${Math.max(0, left)}`}`);
  }
  return said.join(" · ");
}

const legalBalls = (innings) => innings.overs * match.format.balls_per_over + innings.over.legal;

function renderPad(innings) {
  const over = innings.isClosed || endOf(match, innings) || resultOf(match);
  const isLocked = Boolean(over) || outbox.isTaken;
  for (const button of element("pad").querySelectorAll("button[data-runs], button[data-flag], #wicket, #swap")) button.disabled = isLocked;
  element("undo").disabled = outbox.isTaken;
  for (const button of element("rest").querySelectorAll("button")) button.disabled = outbox.isTaken && button.dataset.act !== "card";
  for (const button of element("extras").children) button.setAttribute("aria-pressed", String(Boolean(flags[button.dataset.flag])));
  element("swap").hidden = match.isQuick;
  write(element("mode"), match.isQuick ? "Full scoring" : "Quick mode");
  renderPrompt(innings, over);
}

/** What comes next, if it is not a ball. */
function renderPrompt(innings, over) {
  const shown = [];
  const result = resultOf(match);
  const button = (word, act) => h("button", { type: "button", onclick: act }, word);
  if (outbox.isTaken) { /* only the other phone decides */ }
  else if (over) {
    const isTied = result && result.winner === null;
    if (!result) shown.push(`Innings over: ${ENDS[over] ?? (innings.isDeclared ? "declared" : "closed")}.`);
    if (!result || isTied) shown.push(button(isTied ? "Super over" : "Next innings", () => dialogs.nextInnings(match, tap, Boolean(isTied))));
    shown.push(button("Scorecard", ACTS.card));
  } else if (match.interval) shown.push(button("Play goes on", () => press({ kind: "break", break: null })));
  else if (lacks(innings) === "batter") shown.push(button("Choose the batter", () => openFor("batter")));
  else if (lacks(innings) === "bowler") shown.push(button("Choose the bowler", () => openFor("bowler")));
  const key = shown.map((one) => (typeof one === "string" ? one : one.textContent)).join("|");
  if (element("prompt").dataset.key === key) return;
  element("prompt").dataset.key = key;
  element("prompt").replaceChildren(...shown);
}

/** Who is missing: `batter`, `bowler` or "". The first ball can be bowled without a name of anybody. */
function lacks(innings) {
  if (match.isQuick || innings.isClosed || endOf(match, innings) || resultOf(match)) return "";
  const isOneShort = Boolean(innings.striker) !== Boolean(innings.nonStriker);
  if (isOneShort && innings.batters.length > 1 && !isAlone(match, innings)) return "batter";
  return !innings.bowler && innings.past.length && !innings.over.labels.length ? "bowler" : "";
}

function ask(innings) {
  const what = lacks(innings);
  const state = `${what} ${match.innings.length} ${innings.batters.length} ${innings.past.length} ${innings.wickets}`;
  if (!what || isBack || outbox.isTaken || dialogs.isOpen() || asked === state) return;
  asked = state;
  openFor(what);
}

function openFor(what) {
  const done = (event) => {
    press(event);
    return "";
  };
  if (what === "batter") dialogs.nextBatter(match, done, undo);
  else dialogs.nextBowler(match, done, undo);
}

const ACTS = {
  endOver: () => press({ kind: "end_over" }),
  break: () => dialogs.interval(match, tap),
  retire: () => dialogs.retire(match, tap),
  otherBall: () => dialogs.otherBall(flags, "Other ball", tap),
  penalty: () => dialogs.penalty(match, tap),
  endInnings: () => dialogs.endInnings(match, tap),
  revise: () => dialogs.revise(match, tap),
  names: () => dialogs.names(match, tap),
  setScore: () => dialogs.setScore(match, tap),
  balls: showBalls,
  card: showCard,
};

/** The newest balls, to correct or take back each. */
function showBalls() {
  const dialog = openDialog("Correct a ball", [
    h("ol", { class: "balls", reversed: true }, ...newestFirst(outbox.events, 80).map((event) => h("li", {},
      h("span", {}, inWords(event)),
      ["ball", "batter", "bowler"].includes(event.kind) ? h("button", { type: "button", class: "plain", "aria-label": `Change ${inWords(event)}`, onclick: () => change(event) }, "Change") : h("span"),
      h("button", { type: "button", class: "plain", "aria-label": `Take back ${inWords(event)}`, onclick: () => finish(tap({ kind: "undo", of: event.id })) }, "Take back")))),
  ], "", () => "");
  const finish = (wrong) => (wrong ? wrong : (dialog.close(), ""));
  const change = (event) => {
    dialog.close();
    const { id, at, ...was } = event;
    const edit = (changedEvent) => tap({ kind: "edit", of: id, event: changedEvent });
    if (event.kind === "ball") dialogs.otherBall(was, "Change the ball", edit);
    else openDialog(event.kind === "batter" ? "Change the batter" : "Change the bowler",
      [h("label", { class: "field" }, "Name", h("input", { name: "name", value: was.name ?? "", maxlength: 60, autocomplete: "off" }))], "Change",
      (fields) => edit({ ...was, name: String(fields.get("name")).trim() || undefined }));
  };
}

function showCard() {
  const text = cardText(match);
  const dialog = openDialog("Scorecard", [
    h("pre", { tabindex: 0 }, text),
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: async (event) => {
        const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
        if (!isCopied) getSelection()?.selectAllChildren(dialog.querySelector("pre"));
        event.target.textContent = isCopied ? "Copied" : "Marked: copy it now";
      } }, "Copy")),
  ], "", () => "");
}

async function showOverlay() {
  const image = /** @type {HTMLImageElement} */ (element("overlay"));
  if (document.hidden || Date.now() - overlayAt < OVERLAY_MS || !outbox.stream.state || outbox.stream.state === "stopped" || outbox.isOffline || !element("seen").offsetParent) return;
  overlayAt = Date.now();
  const picture = await outbox.overlay();
  image.hidden = !picture;
  if (!picture) return;
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(picture);
  const innings = current(match);
  image.alt = innings ? `Overlay: ${innings.batting} ${innings.runs}/${innings.wickets}` : "Overlay";
}

function start(isQuick) {
  const form = /** @type {HTMLFormElement} */ (element("setup"));
  const fields = new FormData(form);
  const text = (name) => String(fields.get(name) ?? "").trim() || undefined;
  const bad = [...form.querySelectorAll("input[type=number]")].find((input) => !input.checkValidity());
  if (bad) {
    element("setup-error").textContent = `${bad.labels[0].firstChild.textContent.trim()}: a whole number from ${bad.min} to ${bad.max}`;
    bad.focus();
    return;
  }
  const number = (name) => (text(name) ? Number(text(name)) : undefined);
  const format = Object.fromEntries(["overs", "balls_per_over", "players", "innings_per_side", "balls", "wide_runs", "no_ball_runs"].map((name) => [name, number(name)]));
  const [batting, bowling] = [text("batting") ?? "Batting first", text("bowling") ?? "Bowling first"];
  const squads = Object.fromEntries([[batting, dialogs.lines(fields.get("squad0"))], [bowling, dialogs.lines(fields.get("squad1"))]].filter(([, names]) => names.length));
  element("setup-error").textContent = tap({
    kind: "setup", batting, bowling, title: text("title"), squads, quick: isQuick,
    format: { ...format, free_hits: fields.has("free_hits"), last_pair_bats_on: fields.has("last_pair_bats_on") },
    striker: text("striker"), non_striker: text("non_striker"), bowler: text("bowler"),
  });
}

function nameSides() {
  const form = /** @type {HTMLFormElement} */ (element("setup"));
  for (const place of [0, 1]) {
    const team = form.elements[place ? "bowling" : "batting"].value.trim();
    write(element(`squad-${place}`), `${team || (place ? "Bowling first" : "Batting first")} players`);
    element(`side-${place}`).replaceChildren(...dialogs.lines(form.elements[`squad${place}`].value).map((value) => h("option", { value })));
  }
}

function toggle(flag) {
  const isOn = !flags[flag];
  const others = { wide: ["no_ball", "bye", "leg_bye"], no_ball: ["wide"], bye: ["wide", "leg_bye"], leg_bye: ["wide", "bye"] }[flag];
  for (const other of isOn ? others : []) delete flags[other];
  if (isOn) flags[flag] = true;
  else delete flags[flag];
  render();
}

/** One tap is one ball, also if a thumb bounces. When it was counts, not when a busy phone came to it. */
function isBounce(button, at) {
  const isSame = lastTap.button === button && at - lastTap.at < SAME_TAP_MS;
  if (!isSame) lastTap = { button, at };
  return isSame;
}

element("pad").addEventListener("click", ({ target, timeStamp }) => {
  const button = /** @type {HTMLElement} */ (target).closest("button");
  if (!button || isBounce(button, timeStamp)) return;
  const quick = match.isQuick || undefined;
  if (button.dataset.flag) toggle(button.dataset.flag);
  else if (button.dataset.runs) press({ kind: "ball", runs: Number(button.dataset.runs), ...flags, quick });
  else if (button.id === "wicket" && quick) press({ kind: "ball", runs: 0, ...flags, quick, wicket: {} });
  else if (button.id === "wicket") dialogs.wicket(match, flags, tap);
  else if (button.id === "undo") undo();
  else if (button.id === "swap") press({ kind: "swap" });
  else if (button.id === "more") {
    element("rest").scrollIntoView({ block: "start" });
    element("rest").focus({ preventScroll: true });
  }
});

element("rest").addEventListener("click", ({ target, timeStamp }) => {
  const button = /** @type {HTMLElement} */ (target).closest("button");
  if (!button || isBounce(button, timeStamp)) return;
  if (button.id === "mode") press({ kind: "quick", on: !match.isQuick });
  else ACTS[button.dataset.act]();
});

element("setup").addEventListener("submit", (event) => {
  event.preventDefault();
  start(false);
});
element("setup").addEventListener("input", nameSides);
element("start-quick").addEventListener("click", () => start(true));

/** The screen stays on while the page is in front, where the browser allows it. */
async function stayAwake() {
  if (!document.hidden) await navigator.wakeLock?.request("screen").catch(() => null);
}
document.addEventListener("visibilitychange", stayAwake);
stayAwake();
if (window.isSecureContext) navigator.serviceWorker?.register("/score/service-worker.js").catch(() => null);
changed();

function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
