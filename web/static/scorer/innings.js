// The laws of cricket, once: folds a log of events into a match. Pure: no DOM, no clock, nothing is remembered.
// An event that does not fit is noted in `match.flagged`; it never stops the fold.

import { standing } from "./log.js";
import { bowlerNamed, enter, renamePlayer, renameTeam } from "./players.js";
import { PLAIN, current, isAlone, newMatch, newOver, open, oversOf, targetFor } from "./state.js";

/**
 * @typedef {import("./state.js").Match} Match
 * @typedef {import("./state.js").Innings} Innings
 * @typedef {import("./state.js").Event} Event
 */

export const HOWS = [
  "bowled", "caught", "lbw", "run_out", "stumped", "hit_wicket", "retired_out", "obstructing", "timed_out", "hit_twice",
];
const BOWLERS = new Set(["bowled", "caught", "lbw", "stumped", "hit_wicket"]);
const EITHER_BATTER = new Set(["run_out", "obstructing"]);
const OFF_A_NO_BALL = new Set(["run_out", "obstructing", "hit_twice"]);
const OFF_A_WIDE = new Set(["run_out", "obstructing", "stumped", "hit_wicket"]);
const NO_DELIVERY = new Set(["retired_out", "timed_out"]);
const MOST_OFF_ONE_BALL = 20;
/**
 * The match after all these events.
 * @param {Event[]} events the log, undone and edited events included
 * @returns {Match}
 */
export function fold(events) {
  const match = newMatch();
  for (const event of standing(events)) {
    const act = Object.hasOwn(ACTS, event.kind) ? ACTS[event.kind] : () => "nobody knows this kind of event";
    const fault = act(match, event);
    if (fault) match.flagged.push({ id: event.id, why: fault });
  }
  return match;
}

/** @type {Record<string, (match: Match, event: Event) => string | void>} */
const ACTS = {
  setup(match, event) {
    const before = match.squads;
    match.innings = [];
    match.teams = [event.batting || "Batting first", event.bowling || "Bowling first"];
    if (match.teams[0] === match.teams[1]) match.teams[1] += " 2";
    match.title = event.title || null;
    match.format = { ...PLAIN, ...pick(event.format ?? {}, PLAIN) };
    match.squads = { ...before, ...(event.squads ?? {}) };
    match.isQuick = Boolean(event.quick);
    match.interval = match.revised = null;
    match.owed = {};
    begin(match, match.teams[0], event);
  },
  innings(match, event) {
    const last = current(match);
    if (!last) return "there is no match yet";
    last.isClosed = true;
    const batting = match.teams.includes(event.batting) ? event.batting : last.bowling;
    begin(match, batting, event);
    match.interval = null;
  },
  ball(match, event) {
    const innings = open(match);
    return innings ? deliver(match, innings, event) : "no innings is under way";
  },
  out(match, event) {
    const innings = open(match);
    if (!innings) return "no innings is under way";
    if (event.how === "timed_out") {
      lose(innings, match, enter(innings, event.name), event);
      return undefined;
    }
    const batter = event.who === "non_striker" ? innings.nonStriker : innings.striker;
    if (!batter) return "nobody bats at that end";
    lose(innings, match, batter, event);
    return undefined;
  },
  retire(match, event) {
    const innings = open(match);
    const batter = innings && (event.who === "non_striker" ? innings.nonStriker : innings.striker);
    if (!batter) return "nobody bats at that end";
    leave(innings, batter);
    batter.status = "retired_hurt";
    innings.partnership = { runs: 0, balls: 0 };
    return undefined;
  },
  batter(match, event) {
    const innings = open(match);
    if (!innings) return "no innings is under way";
    if (innings.striker && innings.nonStriker) return "both batters are in";
    const batter = enter(innings, event.name);
    if (!innings.striker) innings.striker = batter;
    else innings.nonStriker = batter;
    return undefined;
  },
  bowler(match, event) {
    const innings = open(match);
    if (!innings) return "no innings is under way";
    innings.bowler = bowlerNamed(innings, event.name);
    return innings.bowler === innings.barred ? "he bowled the over before" : undefined;
  },
  swap(match) {
    const innings = open(match);
    if (!innings) return "no innings is under way";
    swap(innings);
    return undefined;
  },
  end_over(match) {
    const innings = open(match);
    if (!innings?.over.labels.length) return "no ball of this over was bowled";
    endOver(match, innings);
    return undefined;
  },
  end_innings(match, event) {
    const innings = open(match);
    if (!innings) return "no innings is under way";
    innings.isClosed = true;
    innings.isDeclared = event.how === "declared";
    innings.isForfeited = event.how === "forfeited";
    return undefined;
  },
  penalty(match, event) {
    const innings = current(match);
    const runs = whole(event.runs ?? 5);
    if (!innings || !runs) return "there is no match yet";
    if (event.to === "batting") award(innings, runs);
    else {
      // To the side's last innings, or to its next one.
      const theirs = match.innings.findLast((one) => one.batting === innings.bowling && one !== innings);
      if (theirs) award(theirs, runs);
      else match.owed[innings.bowling] = (match.owed[innings.bowling] ?? 0) + runs;
      if (theirs && innings.target !== null && !match.revised?.target) innings.target += runs;
    }
    return undefined;
  },
  revise(match, event) {
    const innings = current(match);
    match.revised = { overs: event.overs || null, target: event.target || null, method: event.method || null };
    if (innings && !innings.isSuperOver) {
      if (event.overs) innings.oversLimit = event.overs;
      if (event.target && match.innings.length === 2 * match.format.innings_per_side) innings.target = event.target;
    }
  },
  break(match, event) {
    match.interval = event.break || null;
  },
  quick(match, event) {
    match.isQuick = Boolean(event.on);
  },
  squad(match, event) {
    match.squads[event.team] = [...event.names];
  },
  name(match, event) {
    if (!event.to) return "the new name is missing";
    if (event.what === "team") renameTeam(match, event.from, event.to);
    else renamePlayer(match, event.team, event.from, event.to);
    return undefined;
  },
  score(match, event) {
    const innings = open(match);
    if (!innings) return "no innings is under way";
    const runs = whole(event.runs ?? innings.runs);
    innings.unattributed += runs - innings.runs;
    innings.runs = runs;
    innings.wickets = whole(event.wickets ?? innings.wickets);
    if (event.target) innings.target = event.target;
    if (event.overs !== undefined) setOvers(match, innings, String(event.overs));
    return undefined;
  },
};

/** Bowls one delivery: runs, extras, the wicket, the strike, the end of the over. */
function deliver(match, innings, event) {
  const { format } = match;
  const runs = whole(event.runs ?? 0);
  if (runs > MOST_OFF_ONE_BALL) return "so many runs cannot come off one ball";
  const isWide = Boolean(event.wide);
  const isNoBall = Boolean(event.no_ball) && !isWide;
  const isQuick = Boolean(event.quick);
  const wicket = event.wicket ?? null;
  const fault = wicket && !isQuick && unfit(wicket, isWide, isNoBall, innings.isFreeHit);
  if (fault) return fault;
  match.interval = null;
  if (!isQuick) fill(match, innings);
  const scored = Math.max(0, runs - whole(event.short ?? 0));
  const penalty = isWide ? format.wide_runs : isNoBall ? format.no_ball_runs : 0;
  const bye = !isWide && event.bye ? "byes" : !isWide && event.leg_bye ? "leg_byes" : null;
  const offBat = isWide || bye ? 0 : scored;
  const isBoundary = event.boundary ?? (scored === 4 || scored === 6);

  innings.runs += penalty + scored;
  if (isWide) innings.extras.wides += penalty + scored;
  if (isNoBall) innings.extras.no_balls += penalty;
  if (bye) innings.extras[bye] += scored;
  if (isQuick) innings.unattributed += offBat;
  else {
    const { striker, bowler } = innings;
    striker.runs += offBat;
    striker.balls += isWide ? 0 : 1;
    if (isBoundary && offBat === 4) striker.fours += 1;
    if (isBoundary && offBat === 6) striker.sixes += 1;
    bowler.runs += penalty + (isWide ? scored : offBat);
    if (isWide) bowler.wides += penalty + scored;
    if (isNoBall) bowler.noBalls += 1;
  }
  innings.partnership.runs += penalty + scored;
  innings.partnership.balls += isWide ? 0 : 1;
  note(innings, label(penalty + scored, isWide, isNoBall, bye, wicket), {
    runs: penalty + scored,
    conceded: penalty + (isWide ? scored : offBat),
    isLegal: !isWide && !isNoBall,
    isQuick,
  });
  if (isNoBall) innings.isFreeHit = format.free_hits;
  else if (!isWide) innings.isFreeHit = false;

  const ran = event.ran ?? (isBoundary ? 0 : runs);
  if (wicket && isQuick) loseSomebody(match, innings);
  else if (wicket) fallOff(match, innings, wicket, ran);
  else if (ran % 2 && !isQuick) swap(innings);
  const { over } = innings;
  if (over.legal >= format.balls_per_over && !event.over_goes_on) endOver(match, innings);
  return undefined;
}

function unfit({ how, who }, isWide, isNoBall, isFreeHit) {
  if (!HOWS.includes(how) || NO_DELIVERY.has(how)) return "nobody can be out like that off a ball";
  if (who === "non_striker" && !EITHER_BATTER.has(how)) return "only the striker can be out like that";
  if (isWide && !OFF_A_WIDE.has(how)) return "nobody can be out like that off a wide";
  if (isNoBall && !OFF_A_NO_BALL.has(how)) return "nobody can be out like that off a no-ball";
  return isFreeHit && !OFF_A_NO_BALL.has(how) && !isWide ? "nobody can be out like that off a free hit" : "";
}

/** Before a ball both batters and a bowler are there, with or without a name. */
function fill(match, innings) {
  if (isAlone(match, innings)) {
    innings.striker ??= innings.nonStriker ?? enter(innings);
    innings.nonStriker = null;
  } else {
    innings.striker ??= enter(innings);
    innings.nonStriker ??= enter(innings);
  }
  innings.bowler ??= bowlerNamed(innings);
  if (!innings.over.bowlers.includes(innings.bowler)) innings.over.bowlers.push(innings.bowler);
}

function note(innings, text, { runs, conceded, isLegal, isQuick }) {
  const { over, bowler } = innings;
  over.labels.push(text);
  over.runs += runs;
  over.conceded += conceded;
  if (!isLegal) return;
  over.legal += 1;
  innings.balls += 1;
  if (isQuick) return;
  over.counted += 1;
  bowler.balls += 1;
}

/** A wicket off a ball. The new batter takes the end of the one who is out, by Laws 18.11 and 18.12. */
function fallOff(match, innings, wicket, ran) {
  const out = EITHER_BATTER.has(wicket.how) && wicket.who === "non_striker" ? innings.nonStriker : innings.striker;
  const asCrossed = EITHER_BATTER.has(wicket.how) || (wicket.how === "caught" && !match.format.new_batter_faces);
  const crossings = (wicket.how === "caught" ? 0 : ran) + (asCrossed && wicket.crossed ? 1 : 0);
  if (crossings % 2) swap(innings);
  innings.over.wickets += 1;
  if (BOWLERS.has(wicket.how)) innings.bowler.wickets += 1;
  lose(innings, match, out, wicket);
}

/** A wicket of which nobody has said more: the striker's, if there is one. */
function loseSomebody(match, innings) {
  innings.over.wickets += 1;
  lose(innings, match, innings.striker, { how: null, fielder: null });
}

function lose(innings, match, batter, { how, fielder }) {
  if (batter) {
    leave(innings, batter);
    batter.status = how === "retired_out" ? "retired_out" : "out";
    batter.dismissal = { how, bowler: BOWLERS.has(how) ? innings.bowler.name : null, fielder: fielder || null };
  }
  innings.wickets += 1;
  innings.partnership = { runs: 0, balls: 0 };
  innings.fall.push({
    wicket: innings.wickets, runs: innings.runs, overs: oversOf(innings, match.format), batter,
  });
}

function leave(innings, batter) {
  if (innings.striker === batter) innings.striker = null;
  if (innings.nonStriker === batter) innings.nonStriker = null;
}

function endOver(match, innings) {
  const { over, bowler: last } = innings;
  const { balls, balls_per_over: perOver } = match.format;
  // Only an over of one bowler is his, however many balls it had, and only a whole one can be a maiden.
  if (over.bowlers.length === 1 && over.counted === over.legal) {
    const [bowler] = over.bowlers;
    bowler.balls -= over.legal;
    bowler.overs += 1;
    if (over.conceded === 0 && !balls && over.legal >= perOver) bowler.maidens += 1;
  }
  innings.overs += 1;
  innings.past.push(over);
  innings.over = newOver();
  // In a match of balls the ends change after two sets of five, and one bowler may bowl both.
  if (!balls || innings.past.length % 2 === 0) swap(innings);
  const isSecond = innings.past.at(-2)?.bowlers.includes(last);
  innings.barred = balls && !isSecond ? null : last;
  innings.bowler = null;
}

function begin(match, batting, event) {
  const bowling = match.teams.find((team) => team !== batting) ?? "";
  const { overs } = match.format;
  const isSuperOver = Boolean(event.super_over);
  const innings = /** @type {Innings} */ ({
    batting, bowling, runs: 0, wickets: 0, balls: 0, overs: 0, over: newOver(), past: [],
    extras: { wides: 0, no_balls: 0, byes: 0, leg_byes: 0, penalty: 0 }, unattributed: 0, batters: [], bowlers: [],
    fall: [], partnership: { runs: 0, balls: 0 }, striker: null, nonStriker: null, bowler: null, barred: null,
    isFreeHit: false, isClosed: false, isDeclared: false, isForfeited: false, isFollowOn: Boolean(event.follow_on),
    isSuperOver, oversLimit: isSuperOver ? 1 : event.overs || match.revised?.overs || overs,
    target: event.target || targetFor(match, batting, isSuperOver),
  });
  match.innings.push(innings);
  award(innings, match.owed[batting] ?? 0);
  delete match.owed[batting];
  if (event.striker) innings.striker = enter(innings, event.striker);
  if (event.non_striker) innings.nonStriker = enter(innings, event.non_striker);
  if (event.bowler) innings.bowler = bowlerNamed(innings, event.bowler);
}

function swap(innings) {
  [innings.striker, innings.nonStriker] = [innings.nonStriker, innings.striker];
}

function award(innings, runs) {
  innings.runs += runs;
  innings.extras.penalty += runs;
}

function label(total, isWide, isNoBall, bye, wicket) {
  if (wicket) return isWide ? "Wwd" : isNoBall ? "Wnb" : "W";
  if (isWide) return total > 1 ? `${total}wd` : "wd";
  if (isNoBall) return total > 1 ? `${total}nb` : "nb";
  return bye ? `${total}${bye === "byes" ? "b" : "lb"}` : String(total);
}

function setOvers(match, innings, text) {
  const [, overs, balls] = /^(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (overs === undefined) return;
  innings.overs = Number(overs);
  innings.over = { ...newOver(), legal: Number(balls ?? 0), bowlers: innings.over.bowlers };
  innings.balls = innings.overs * match.format.balls_per_over + innings.over.legal;
}

const whole = (value) => Math.max(0, Math.trunc(Number(value) || 0));

/** Of `given` only what `known` has, and of the same kind; a number must be positive. */
function pick(given, known) {
  return Object.fromEntries(
    Object.entries(known).map(([field, usual]) => {
      const value = given[field];
      if (typeof usual === "boolean") return [field, typeof value === "boolean" ? value : usual];
      return [field, Number.isInteger(value) && value > 0 ? value : usual];
    }),
  );
}
