// What was tapped: kept on the phone, and sent in its order, again and again until the service has it.

/** @typedef {import("./state.js").Event} Event */
/** @typedef {{device: string, label: string, age_s: number}} Writer */
/** @typedef {{runs: number | null, wickets: number | null, overs: string | null, target: number | null}} Typed */

const MOST_AT_ONCE = 400;
const HEARTBEAT_MS = 4000; // another phone that takes over is noticed within this time
const ANSWER_LIMIT_MS = 8000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 8000;
const OLD_MS = 12 * 3600 * 1000;

export class Outbox {
  /**
   * @param {string} name of the stream
   * @param {string} token of the link; "" without one
   * @param {(events: Event[]) => object | null} match what the events come to, as the overlay takes it
   * @param {() => void} changed called after each change
   */
  constructor(name, token, match, changed) {
    this.name = name;
    this.token = token;
    this.match = match;
    this.changed = changed;
    /** @type {Event[]} what the service has */
    this.kept = [];
    /** @type {Event[]} what it has not yet */
    this.unsent = [];
    /** @type {number | null} which log of the service `kept` is from */
    this.log = null;
    /** @type {Writer | null} */
    this.writer = null;
    this.stream = { state: "", on_air: null };
    /** @type {Typed | null} what somebody has set over this score */
    this.typed = null;
    this.isHeard = false; // the service has answered since the page was opened
    this.isOffline = false;
    this.isTaken = false; // another device writes
    this.isStored = true; // the phone keeps what is tapped
    this.refusal = ""; // why the service will not take it, in words
    this.device = this.#deviceId();
    this.#load();
    addEventListener("online", () => this.wake());
    addEventListener("storage", ({ key }) => key === this.#key && this.#reload());
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
    this.#schedule(0);
  }

  #timer = 0;
  #isBusy = false;
  #failures = 0;
  #isShown = true; // false: the match has to be sent once more

  get #key() {
    return `score:${this.name}`;
  }

  /** All events that count on this phone, in order. */
  get events() {
    return this.isTaken ? this.kept : [...this.kept, ...this.unsent];
  }

  /** @param {Omit<Event, "id">} event */
  add(event) {
    this.unsent.push(/** @type {Event} */ ({ id: newId(), at: Date.now(), ...event }));
    this.#save();
    this.wake();
  }

  /** Send now rather than at the next time. */
  wake() {
    this.#failures = 0;
    if (!this.#isBusy) this.#schedule(0);
  }

  /** This phone scores from now on. @param {boolean} withUnsent what it has not sent yet is added, or set aside */
  async takeOver(withUnsent) {
    const answer = await this.#call("POST", "writer", { device: this.device, take_over: true });
    if (!answer.ok) return;
    await this.#read();
    if (!withUnsent) this.setAside();
    this.isTaken = false;
    this.#save();
    this.changed();
    this.wake();
  }

  /** Viewers see this score again, and not what somebody has set. */
  show() {
    this.#isShown = false;
    this.typed = null;
    this.wake();
  }

  /** Take what was not sent out of the queue; it stays on the phone, under another name. */
  setAside() {
    if (this.unsent.length) this.#store(`score-aside:${this.name}`, JSON.stringify(this.unsent));
    this.unsent = [];
    this.#save();
  }

  /** Forget this refusal, and try again. */
  tryAgain() {
    this.refusal = "";
    this.wake();
  }

  #schedule(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), ms);
  }

  async #turn() {
    if (this.#isBusy || this.refusal) return;
    this.#isBusy = true;
    let wait = HEARTBEAT_MS;
    try {
      if (!this.isHeard || this.isTaken) await this.#read();
      else await this.#send();
      this.isOffline = false;
      this.#failures = 0;
      if (this.unsent.length && !this.isTaken) wait = 0;
    } catch {
      this.isOffline = true;
      wait = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
      this.#failures += 1;
    } finally {
      this.#isBusy = false;
    }
    this.changed();
    if (!this.refusal) this.#schedule(wait);
  }

  async #read() {
    const answer = await this.#call("GET", `log?after=${this.kept.length}`);
    if (this.#refuses(answer)) return;
    const { seq, log, writer, events, stream } = await answer.json();
    if (log !== this.log && this.log !== null && log !== null) await this.#beginAnew();
    else if (seq < this.kept.length) await this.#beginAnew();
    else this.#learn(events, log);
    this.writer = writer;
    this.stream = stream;
    this.isTaken = Boolean(writer && writer.device !== this.device && (this.isHeard ? this.isTaken : true));
    this.isHeard = true;
    this.#save();
  }

  async #send() {
    const sent = this.unsent.slice(0, MOST_AT_ONCE);
    const body = { device: this.device, after: this.kept.length, events: sent, alive: true };
    const all = [...this.kept, ...sent];
    if (!all.length) return this.#read(); // nobody scores yet
    if (sent.length || !this.#isShown) body.match = this.match(all);
    const answer = await this.#call("POST", "log", body);
    if (answer.status === 409) {
      const { events, seq, writer, error } = await answer.json();
      this.writer = writer;
      this.isTaken = Boolean(writer && writer.device !== this.device);
      if (!this.isTaken && !events.length && seq === this.kept.length) this.refusal = error;
      else if (!this.isTaken && seq < this.kept.length) await this.#beginAnew();
      else this.#learn(events);
      this.#save();
      return undefined;
    }
    if (this.#refuses(answer)) return undefined;
    const { log, shown, typed, stream } = await answer.json();
    this.stream = stream;
    this.typed = typed;
    this.#isShown = shown;
    this.#learn(sent, log);
    this.#save();
    return undefined;
  }

  /** These events are on the service. */
  #learn(events, log = this.log) {
    const ids = new Set(events.map(({ id }) => id));
    this.kept.push(...events);
    this.unsent = this.unsent.filter(({ id }) => !ids.has(id));
    this.log = log;
  }

  /** The service's log is another one: the next match, or one that was lost, which this phone still has. */
  async #beginAnew() {
    const all = [...this.kept, ...this.unsent];
    const isLost = Date.now() - (all.at(-1)?.at ?? 0) < OLD_MS;
    this.#store(`score-before:${this.name}`, JSON.stringify(all));
    this.kept = [];
    this.unsent = [];
    this.log = null;
    const answer = await this.#call("GET", "log?after=0");
    const { log, events } = await answer.json();
    if (isLost && !events.length) this.unsent = all;
    this.#learn(events, log);
  }

  /** True if the service will not take anything, and says why. Throws if it may next time. */
  #refuses(answer) {
    if (answer.ok) return false;
    if (answer.status >= 500 || answer.status === 429 || answer.status === 404) throw new Error(String(answer.status));
    this.refusal = answer.error;
    return true;
  }

  async #call(method, what, body) {
    const headers = { ...(this.token && { Authorization: `Bearer ${this.token}` }), ...(body && { "Content-Type": "application/json" }) };
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const path = `/score/${encodeURIComponent(this.name)}/${what}`;
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal });
    if (!answer.ok && answer.status !== 409) {
      const said = await answer.json().catch(() => ({}));
      answer.error = said.error ?? `The service answers ${answer.status}`;
    }
    return answer;
  }

  /** @returns {Promise<Blob | null>} the overlay as viewers have it */
  async overlay() {
    const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    try {
      const path = `/streams/${encodeURIComponent(this.name)}/overlay.png`;
      const answer = await fetch(path, { headers, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
      return answer.ok ? await answer.blob() : null;
    } catch {
      return null;
    }
  }

  #save() {
    const { kept, unsent, log } = this;
    this.#store(this.#key, JSON.stringify({ kept, unsent, log }));
    this.changed();
  }

  #store(key, text) {
    try {
      localStorage.setItem(key, text);
      this.isStored = true;
    } catch {
      this.isStored = false;
    }
  }

  #load() {
    try {
      const { kept = [], unsent = [], log = null } = JSON.parse(localStorage.getItem(this.#key) ?? "{}");
      Object.assign(this, { kept, unsent, log });
    } catch {
      this.isStored = false;
    }
  }

  /** Another tab of this browser has tapped. */
  #reload() {
    this.#load();
    this.changed();
  }

  #deviceId() {
    try {
      const known = localStorage.getItem("score-device");
      if (known) return known;
    } catch {
      this.isStored = false;
    }
    const made = newId();
    this.#store("score-device", made);
    return made;
  }
}

/** @returns {string} which nobody else makes; `crypto.randomUUID` is not there over plain http */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(36).padStart(2, "0")).join("");
}
