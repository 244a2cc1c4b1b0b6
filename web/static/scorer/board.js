// The match in the project's own shape, as the overlay takes it, and its card as text. Pure.

import { bowlersOvers, current, endOf, oversOf, wicketsOf } from "./state.js";

/**
 * @typedef {import("./state.js").Match} Match
 * @typedef {import("./state.js").Innings} Innings
 */

/**
 * @param {Match} match
 * @returns {Record<string, any> | null} null before the match is set up
 */
export function board(match) {
  const innings = current(match);
  if (!innings) return null;
  const { format } = match;
  const result = resultOf(match);
  const main = match.innings.filter((one) => !one.isSuperOver);
  const shown = innings.over.labels.length || !innings.past.length || innings.bowler ? innings.over : innings.past.at(-1);
  const bowler = innings.bowler ?? shown.bowlers.at(-1) ?? null;
  return {
    sport: "cricket",
    title: match.title,
    status: statusOf(match, innings, result),
    innings: innings.isSuperOver ? 2 - (match.innings.filter((one) => one.isSuperOver).length % 2) : main.indexOf(innings) + 1,
    target: innings.target,
    batting: { name: innings.batting, runs: innings.runs, wickets: innings.wickets, ...lengthOf(innings, format) },
    bowling: { name: innings.bowling },
    batters: match.isQuick ? [] : atTheCrease(innings),
    bowler: match.isQuick || !bowler ? null : bowlerOf(bowler, innings, format),
    this_over: [...shown.labels],
    partnership: { ...innings.partnership },
    last_wicket: lastWicketOf(innings),
    format: {
      overs: innings.isSuperOver ? 1 : innings.oversLimit, balls: innings.isSuperOver ? null : format.balls,
      balls_per_over: format.balls_per_over, innings_per_side: format.innings_per_side,
      players: format.players, last_pair_bats_on: format.last_pair_bats_on,
    },
    totals: main.filter((one) => one !== innings).map((one) => totalOf(one, format)),
    card: cardOf(match, innings),
    squads: squadsOf(match),
    revised: match.revised,
    free_hit: innings.isFreeHit,
    break: match.interval,
    batting_first: match.teams[0],
    winner: result?.winner ?? null,
    result: result?.text ?? null,
  };
}

/**
 * @param {Match} match
 * @param {Innings} innings
 * @returns {Record<string, any>} its batting, extras, bowling and fall of wickets
 */
export function cardOf(match, innings) {
  return {
    batting: innings.batters.map((one) => ({
      name: one.name, runs: one.runs, balls: one.balls, fours: one.fours, sixes: one.sixes,
      status: one.status === "batting" && innings.isClosed ? "not_out" : one.status,
      how_out: howOut(one.dismissal),
    })),
    extras: { ...innings.extras },
    bowling: innings.bowlers.map((one) => bowlerOf(one, innings, match.format)),
    fall: innings.fall.map(({ wicket, runs, overs, batter }) => ({ wicket, runs, overs, name: batter?.name ?? null })),
  };
}

/** @param {import("./state.js").Dismissal | null} dismissal @returns {string | null} as a scorer writes it */
export function howOut(dismissal) {
  if (!dismissal?.how) return null;
  const { how, bowler, fielder } = dismissal;
  const by = `b ${bowler}`;
  if (how === "caught") return fielder === bowler && fielder ? `c & ${by}` : fielder ? `c ${fielder} ${by}` : `c ${by}`;
  if (how === "stumped") return fielder ? `st ${fielder} ${by}` : `st ${by}`;
  if (how === "run_out") return fielder ? `run out (${fielder})` : "run out";
  const words = {
    bowled: by, lbw: `lbw ${by}`, hit_wicket: `hit wicket ${by}`, retired_out: "retired out",
    obstructing: "obstructing the field", timed_out: "timed out", hit_twice: "hit the ball twice",
  };
  return words[how] ?? null;
}

/**
 * Who has won, once that is certain by what was scored.
 * @param {Match} match
 * @returns {{winner: string | null, text: string} | null}
 */
export function resultOf(match) {
  const all = match.innings;
  const last = all.at(-1);
  if (!last || last.target === null) return null;
  const end = endOf(match, last);
  const isOver = last.isClosed || end;
  const method = match.revised?.target ? ` (${match.revised.method ?? "revised target"})` : "";
  const [side, other] = [last.batting, last.bowling];
  if (last.runs >= last.target) {
    const left = wicketsOf(match, last) - last.wickets;
    const by = last.isSuperOver ? " in the super over" : ` by ${counted(left, "wicket")}${method}`;
    return { winner: side, text: `${side} won${by}` };
  }
  if (!isOver || last.isDeclared) return null;
  // In a match of two innings a side, time may have run out, and only the captains know.
  if (match.format.innings_per_side > 1 && !last.isSuperOver && end !== "all_out") return null;
  const short = last.target - 1 - last.runs;
  if (short === 0) return last.isSuperOver ? null : { winner: null, text: `Match tied${method}` };
  return { winner: other, text: last.isSuperOver ? `${other} won in the super over` : `${other} won by ${counted(short, "run")}${method}` };
}

/**
 * The card of all innings, to copy into a message.
 * @param {Match} match
 */
export function cardText(match) {
  const blocks = match.innings.map((innings) => {
    const { batting, bowling, extras, fall } = cardOf(match, innings);
    const added = Object.values(extras).reduce((sum, runs) => sum + runs, 0);
    const lines = [`${innings.batting} ${scoreText(innings)} (${lengthText(innings, match.format)})`, ""];
    for (const one of batting) {
      const how = one.how_out ?? { not_out: "not out", batting: "not out", retired_hurt: "retired hurt" }[one.status] ?? "out";
      lines.push(`${one.name}  ${how}  ${one.runs} (${one.balls})`);
    }
    lines.push(`Extras ${added} (w ${extras.wides}, nb ${extras.no_balls}, b ${extras.byes}, lb ${extras.leg_byes}, pen ${extras.penalty})`);
    if (innings.unattributed) lines.push(`Runs without a batter ${innings.unattributed}`);
    lines.push("");
    for (const one of bowling) lines.push(`${one.name}  ${one.overs}-${one.maidens}-${one.runs}-${one.wickets}`);
    if (fall.length) lines.push("", `Fall: ${fall.map((one) => `${one.wicket}-${one.runs} (${one.name ?? "–"}, ${one.overs})`).join(", ")}`);
    return lines.join("\n");
  });
  const result = resultOf(match);
  return [match.title, ...blocks, result?.text].filter(Boolean).join("\n\n");
}

function statusOf(match, innings, result) {
  if (result) return "finished";
  if (innings.isClosed || endOf(match, innings)) return "innings_break";
  if (match.interval === "rain") return "rain";
  if (match.interval === "innings") return "innings_break";
  const hasBegun = match.innings.length > 1 || innings.over.labels.length || innings.past.length || innings.runs;
  if (!hasBegun) return "scheduled";
  return innings.isSuperOver ? "super_over" : "live";
}

function lengthOf(innings, format) {
  return format.balls && !innings.isSuperOver ? { balls: innings.balls } : { overs: oversOf(innings, format) };
}

function lengthText(innings, format) {
  return format.balls ? `${innings.balls} balls` : `${oversOf(innings, format)} overs`;
}

function scoreText(innings) {
  return `${innings.runs}/${innings.wickets}${innings.isDeclared ? "d" : ""}`;
}

function atTheCrease(innings) {
  return [innings.striker, innings.nonStriker].flatMap((batter, place) =>
    batter
      ? [{
        name: batter.name, runs: batter.runs, balls: batter.balls, fours: batter.fours, sixes: batter.sixes,
        on_strike: place === 0,
      }]
      : [],
  );
}

function bowlerOf(bowler, innings, format) {
  return {
    name: bowler.name, overs: bowlersOvers(bowler, format), maidens: bowler.maidens, runs: bowler.runs,
    wickets: bowler.wickets, wides: bowler.wides, no_balls: bowler.noBalls,
  };
}

function lastWicketOf(innings) {
  const batter = innings.fall.at(-1)?.batter;
  return batter ? { name: batter.name, runs: batter.runs, balls: batter.balls, how_out: howOut(batter.dismissal) } : null;
}

function totalOf(innings, format) {
  return {
    batting: innings.batting, runs: innings.runs, wickets: innings.wickets, ...lengthOf(innings, format),
    declared: innings.isDeclared, forfeited: innings.isForfeited, follow_on: innings.isFollowOn,
  };
}

function squadsOf(match) {
  return Object.fromEntries(match.teams.map((team) => [team, match.squads[team] ?? []]).filter(([, names]) => names.length));
}

const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
