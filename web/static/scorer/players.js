// The people in an innings: they come in, bowl, and get their names, also after the fact. Pure.

/**
 * @typedef {import("./state.js").Match} Match
 * @typedef {import("./state.js").Innings} Innings
 * @typedef {import("./state.js").Batter} Batter
 * @typedef {import("./state.js").Bowler} Bowler
 */

/** The batter of this name who may bat, or a new one; one without a name gets a number. */
export function enter(innings, name) {
  const back = innings.batters.find((one) => one.name === name && one.status === "retired_hurt");
  if (back) {
    back.status = "batting";
    return back;
  }
  const taken = new Set(innings.batters.map((one) => one.name));
  const batter = {
    name: unused(name || `Batter ${innings.batters.length + 1}`, taken), isNamed: Boolean(name),
    runs: 0, balls: 0, fours: 0, sixes: 0, status: "batting", dismissal: null,
  };
  innings.batters.push(batter);
  return batter;
}

export function bowlerNamed(innings, name) {
  const known = name && innings.bowlers.find((one) => one.name === name);
  if (known) return known;
  const bowler = {
    name: name || `Bowler ${innings.bowlers.length + 1}`, isNamed: Boolean(name),
    overs: 0, balls: 0, maidens: 0, runs: 0, wickets: 0, wides: 0, noBalls: 0,
  };
  innings.bowlers.push(bowler);
  return bowler;
}

/** Two brothers on one side: the second one gets a number. */
function unused(name, taken) {
  let found = name;
  for (let number = 2; taken.has(found); number += 1) found = `${name} ${number}`;
  return found;
}

export function renameTeam(match, from, to) {
  match.teams = match.teams.map((team) => (team === from ? to : team));
  for (const innings of match.innings) {
    if (innings.batting === from) innings.batting = to;
    if (innings.bowling === from) innings.bowling = to;
  }
  for (const record of [match.squads, match.owed]) {
    if (from in record) {
      record[to] = record[from];
      delete record[from];
    }
  }
}

export function renamePlayer(match, team, from, to) {
  if (match.squads[team]) match.squads[team] = match.squads[team].map((name) => (name === from ? to : name));
  const give = (player) => Object.assign(player, { name: to, isNamed: true });
  for (const innings of match.innings) {
    const fields = innings.bowling === team;
    for (const player of fields ? innings.bowlers : innings.batters) if (player.name === from) give(player);
    for (const { dismissal } of fields ? innings.batters : []) {
      for (const role of ["bowler", "fielder"]) if (dismissal?.[role] === from) dismissal[role] = to;
    }
  }
}
