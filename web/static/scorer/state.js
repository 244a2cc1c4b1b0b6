// A match as it is folded from its log, and what follows from it: overs, ends of innings, targets. Pure.

/**
 * @typedef {{id: string, at?: number, kind: string, [field: string]: any}} Event
 * @typedef {{how: string, bowler: string | null, fielder: string | null}} Dismissal
 * @typedef {{name: string, isNamed: boolean, runs: number, balls: number, fours: number, sixes: number,
 *   status: string, dismissal: Dismissal | null}} Batter
 * @typedef {{name: string, isNamed: boolean, overs: number, balls: number, maidens: number, runs: number,
 *   wickets: number, wides: number, noBalls: number}} Bowler
 * @typedef {{labels: string[], runs: number, conceded: number, legal: number, counted: number,
 *   wickets: number, bowlers: Bowler[]}} Over
 * @typedef {{wicket: number, runs: number, overs: string, batter: Batter | null}} Fall
 * @typedef {{batting: string, bowling: string, runs: number, wickets: number, balls: number, overs: number, over: Over,
 *   past: Over[], extras: Record<string, number>, unattributed: number, batters: Batter[], bowlers: Bowler[],
 *   fall: Fall[], partnership: {runs: number, balls: number}, striker: Batter | null, nonStriker: Batter | null,
 *   bowler: Bowler | null, barred: Bowler | null, isFreeHit: boolean, isClosed: boolean, isDeclared: boolean,
 *   isForfeited: boolean, isFollowOn: boolean, isSuperOver: boolean, oversLimit: number | null,
 *   target: number | null}} Innings
 * @typedef {{overs: number | null, balls: number | null, balls_per_over: number, innings_per_side: number,
 *   players: number, last_pair_bats_on: boolean, wide_runs: number, no_ball_runs: number, free_hits: boolean,
 *   new_batter_faces: boolean}} Format
 * @typedef {{teams: string[], title: string | null, squads: Record<string, string[]>, format: Format,
 *   innings: Innings[], interval: string | null, revised: Record<string, any> | null, owed: Record<string, number>,
 *   isQuick: boolean, flagged: {id: string, why: string}[]}} Match
 */

const SUPER_OVER_WICKETS = 2;
export const PLAIN = {
  overs: null, balls: null, balls_per_over: 6, innings_per_side: 1, players: 11,
  last_pair_bats_on: false, wide_runs: 1, no_ball_runs: 1, free_hits: false,
  new_batter_faces: true, // after a catch, by Law 18.11 since October 2022; before, who faced hung on crossing
};

/** @returns {Match} before its first event */
export function newMatch() {
  return {
    teams: ["", ""], title: null, squads: {}, format: { ...PLAIN }, innings: [], interval: null, revised: null,
    owed: {}, isQuick: false, flagged: [],
  };
}

/** @returns {Over} */
export function newOver() {
  return { labels: [], runs: 0, conceded: 0, legal: 0, counted: 0, wickets: 0, bowlers: [] };
}

/** @param {Match} match @returns {Innings | null} the innings under way, or the last one */
export function current(match) {
  return match.innings.at(-1) ?? null;
}

/** @param {Innings} innings @param {Format} format @returns {string} as "14.3" */
export function oversOf(innings, format) {
  const legal = format.balls ? innings.balls % format.balls_per_over : innings.over.legal;
  const whole = format.balls ? Math.floor(innings.balls / format.balls_per_over) : innings.overs;
  return `${whole}.${legal}`;
}

/** @param {Bowler} bowler @param {Format} format @returns {string} as "3.2" */
export function bowlersOvers(bowler, format) {
  return `${bowler.overs + Math.floor(bowler.balls / format.balls_per_over)}.${bowler.balls % format.balls_per_over}`;
}

/**
 * Why the innings is over though nobody has said so: `all_out`, `overs`, `target`; null while it is not.
 * @param {Match} match @param {Innings} innings
 */
export function endOf(match, innings) {
  if (innings.wickets >= wicketsOf(match, innings)) return "all_out";
  if (innings.target !== null && innings.runs >= innings.target) return "target";
  const { balls } = match.format;
  if (innings.isSuperOver ? innings.overs >= 1 : balls ? innings.balls >= balls : isBowledOut(innings)) return "overs";
  return null;
}

/** @param {Match} match @param {Innings} innings @returns {number} the wickets that end it */
export function wicketsOf({ format }, innings) {
  if (innings.isSuperOver) return SUPER_OVER_WICKETS;
  return format.players - (format.last_pair_bats_on ? 0 : 1);
}

/** @param {Match} match @param {Innings} innings @returns {boolean} true if the last batter has no partner */
export function isAlone({ format }, innings) {
  return format.last_pair_bats_on && !innings.isSuperOver && innings.wickets === format.players - 1;
}

/** @param {Match} match @returns {number | null} what the side that bats next has to make; null if that is not known */
export function targetFor(match, batting, isSuperOver = false) {
  const of = (innings) => innings.isSuperOver === isSuperOver;
  const done = match.innings.filter(of);
  if (isSuperOver) return done.length % 2 ? done.at(-1).runs + 1 : null;
  if (done.length !== 2 * match.format.innings_per_side - 1) return null;
  if (match.revised?.target) return match.revised.target;
  const sum = (team) => done.filter((one) => one.batting === team).reduce((runs, one) => runs + one.runs, 0);
  const others = match.teams.filter((team) => team !== batting);
  return sum(others[0]) - sum(batting) + 1;
}

/** The innings that can go on; null if there is none. */
export function open(match) {
  const innings = current(match);
  return innings && !innings.isClosed ? innings : null;
}

function isBowledOut(innings) {
  return innings.oversLimit !== null && innings.overs >= innings.oversLimit;
}
