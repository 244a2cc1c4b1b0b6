// Keeps the page up to date: loads it again, takes over what has changed, and calls the API for everything else.

import { hideCamera, showCamera } from "./camera.js";
import { backToFeed, tryFeed } from "./feeds.js";
import { ask, order, SessionEnded } from "./service.js";

const POLL_MS = 2000;
const START_LIMIT_MS = 30000;
const PICTURES_MS = 4000;
const PICTURES_AT_ONCE = 3;
// No card appears or disappears while the reader works with a finger or a mouse.
const HANDS_OFF_MS = 1500;

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const cards = one("#cards");
const startDialog = one("#start");
const stopDialog = one("#stop");

document.documentElement.classList.add("js");

function say(text) {
  one("#said").textContent = text;
}

let turn = 0;
let timer = 0;
let heardAt = new Date();
let isOld = false;
let handsOffUntil = 0;

async function follow({ mayMove = performance.now() >= handsOffUntil } = {}) {
  clearTimeout(timer);
  const mine = ++turn;
  if (document.hidden) return;
  try {
    const answer = await ask("/", { cache: "no-store" });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== turn) return;
    noteReached();
    take(page, mayMove);
  } catch (error) {
    if (mine !== turn || error instanceof SessionEnded) return;
    noteLost();
  }
  timer = setTimeout(follow, POLL_MS);
}

function noteReached() {
  heardAt = new Date();
  if (!isOld) return;
  isOld = false;
  document.body.classList.remove("is-old");
  one("#unreachable").textContent = "";
  say("The service answers again");
}

function noteLost() {
  if (isOld) return;
  isOld = true;
  document.body.classList.add("is-old");
  const time = heardAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  one("#unreachable").textContent =
    `The service does not answer. Its last answer came at ${time}, and what you see is from then.`;
}

function take(page, mayMove) {
  document.title = page.title;
  for (const id of ["#heading", "#troubled", "#nodes", "#notices"]) morph(one(id), one(id, page));
  one('meta[name="csrf-token"]').content = one('meta[name="csrf-token"]', page).content;
  const fresh = all(".card", page);
  tellChanges(fresh);
  if (mayMove) place(fresh);
  for (const card of fresh) {
    const old = document.getElementById(card.id);
    if (old) morph(old, card);
  }
  one("#empty").hidden = cards.childElementCount > 0;
}

function tellChanges(fresh) {
  const changes = fresh.filter((card) => {
    const old = document.getElementById(card.id);
    return old && old.dataset.word !== card.dataset.word;
  });
  if (changes.length === 0) return;
  say(changes.map(({ dataset }) => [dataset.name, dataset.word, dataset.trouble].filter(Boolean).join(", ")).join("; "));
}

// Both lists are sorted by name.
function place(fresh) {
  const staying = new Set(fresh.map((card) => card.id));
  for (const card of [...cards.children]) if (!staying.has(card.id)) drop(card);
  let next = cards.firstElementChild;
  for (const card of fresh) {
    if (next && next.id === card.id) {
      next = next.nextElementSibling;
    } else {
      inView.observe(cards.insertBefore(document.importNode(card, true), next));
    }
  }
}

function drop(card) {
  inView.unobserve(card);
  visible.delete(card);
  for (const image of all("img", card)) URL.revokeObjectURL(image.src);
  card.remove();
}

// Makes `old` like `fresh`, and leaves alone what is already the same: focus, typed text and open details stay.
function morph(old, fresh) {
  const isOther = old.nodeName !== fresh.nodeName || old.dataset?.keep !== fresh.dataset?.keep;
  if (isOther) {
    old.replaceWith(document.importNode(fresh, true));
  } else if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
  } else if (!old.dataset.keep) {
    morphAttributes(old, fresh);
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    after.forEach((node, index) => {
      if (before[index]) morph(before[index], node);
      else old.append(document.importNode(node, true));
    });
    for (const node of before.slice(after.length)) node.remove();
  }
}

function morphAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
}

const begunAt = performance.now();
const visible = new Set();
const loadedAt = new WeakMap();
const tags = new WeakMap();

const inView = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    if (isIntersecting) visible.add(target);
    else visible.delete(target);
  }
});

// Loads the pictures of the cards in view only.
async function followPictures() {
  if (!document.hidden && !isOld) {
    const jobs = [...visible].flatMap(jobsOf);
    const worker = async () => {
      while (jobs.length) await refresh(...jobs.shift());
    };
    await Promise.all(Array.from({ length: PICTURES_AT_ONCE }, worker));
  }
  setTimeout(followPictures, PICTURES_MS);
}

function jobsOf(card) {
  const path = `/streams/${card.dataset.name}`;
  const [picture, overlay] = [one(".picture img", card), one(".overlay img", card)];
  const jobs = [];
  if (picture) jobs.push([picture, `${path}/preview.jpg`]);
  if (overlay && hasChanged(card, overlay)) jobs.push([overlay, `${path}/overlay.png`]);
  return jobs;
}

function hasChanged(card, overlay) {
  const sinceLoaded = (performance.now() - (loadedAt.get(overlay) ?? begunAt)) / 1000;
  // The age is from the last answer.
  return card.dataset.overlayAge !== "" && card.dataset.overlayAge < sinceLoaded + POLL_MS / 1000;
}

async function refresh(image, url) {
  const askedAt = performance.now();
  const frame = image.closest(".picture");
  try {
    const answer = await ask(url);
    frame?.classList.toggle("blank", !answer.ok);
    const tag = answer.headers.get("ETag");
    if (!answer.ok || (tag && tag === tags.get(image))) return;
    await show(image, await answer.blob());
    tags.set(image, tag);
    loadedAt.set(image, askedAt);
    if (url.endsWith("/overlay.png")) await describe(image, url.replace("overlay.png", "on_screen"));
  } catch {
    // follow() shows whether the service answers.
  }
}

// What is on the overlay, for those who cannot see it.
async function describe(image, url) {
  const answer = await ask(url);
  if (!answer.ok) return;
  const { words, banner, mark } = await answer.json();
  const told = [...(banner?.words ?? []), ...words, ...(mark ? [mark] : [])];
  const name = image.closest("[data-name]").dataset.name;
  image.alt = told.length ? `Overlay of ${name}: ${told.join(", ")}` : `Overlay of ${name}: empty`;
}

async function show(image, blob) {
  const url = URL.createObjectURL(blob);
  const ready = new Image();
  ready.src = url;
  await ready.decode(); // so that nothing flickers
  const before = image.src;
  image.src = url;
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
}

function noteLoaded(image) {
  image.closest(".picture")?.classList.toggle("blank", image.naturalWidth === 0);
}

function openStart(name = "") {
  const form = one("form", startDialog);
  if (name) form.elements.stream_name.value = name;
  startDialog.showModal();
  const empty = all("input[required]", form).find((input) => !input.value);
  (empty ?? form.elements.stream_name).focus();
}

async function start(form) {
  const inputs = [...form.elements].filter((input) => input.name);
  const filled = inputs.map((input) => [input.name, input.value.trim()]).filter(([, value]) => value);
  const body = Object.fromEntries(filled);
  if (body.score_delay_s) body.score_delay_s = Number(body.score_delay_s);
  showFault(form, "");
  const fault = await busy(form, "Starting…", () => order("/start_stream", "POST", body, START_LIMIT_MS));
  if (fault) {
    showFault(form, fault);
    return;
  }
  form.reset();
  reveal(false);
  for (const said of all("#trial", form)) said.textContent = "";
  for (const strip of all("#trial-strip", form)) strip.hidden = true;
  startDialog.close();
  await follow({ mayMove: true });
  say(`${body.stream_name} has started`);
  document.getElementById(`stream-${body.stream_name}`)?.focus();
}

// The service names the field. A fault without a field is shown above the buttons.
function showFault(form, fault) {
  const fields = [...form.elements].filter((input) => input.name);
  const named = fields.filter((input) => fault.includes(input.name));
  const empty = named.filter((input) => !input.value.trim());
  const taken = fault === "Stream already active" ? [form.elements.stream_name] : [];
  const faulty = fault.startsWith("Missing") ? empty : [...named, ...taken];
  for (const input of fields) {
    const isFaulty = faulty.includes(input);
    input.setAttribute("aria-invalid", isFaulty);
    document.getElementById(`${input.name}-error`).textContent = isFaulty ? fault : "";
  }
  one("[data-error]", form).textContent = faulty.length ? "" : fault;
  faulty[0]?.focus();
}

async function busy(form, text, work) {
  const buttons = all("button", form);
  const first = buttons.find((button) => button.type === "submit");
  const focused = document.activeElement;
  const before = first.textContent;
  for (const button of buttons) button.disabled = true;
  first.textContent = text;
  try {
    return await work();
  } finally {
    first.textContent = before;
    for (const button of buttons) button.disabled = false;
    focused.focus();
  }
}

function reveal(isShown) {
  for (const input of all('input[name$="_url"]', startDialog)) input.type = isShown ? "text" : "password";
}

function openStop(name) {
  stopDialog.dataset.name = name;
  one("[data-name]", stopDialog).textContent = name;
  one("[data-error]", stopDialog).textContent = "";
  stopDialog.showModal();
}

async function stop(form) {
  const { name } = stopDialog.dataset;
  const fault = await busy(form, "Stopping…", () => order("/stop_stream", "POST", { stream_name: name }, START_LIMIT_MS));
  one("[data-error]", form).textContent = fault;
  if (fault) return;
  stopDialog.close();
  await leave(name, `${name} has stopped`);
}

async function dismiss(name) {
  const fault = await order(`/streams/${name}`, "DELETE");
  await leave(name, fault || `${name} is dismissed`);
}

// When a card disappears, the focus moves on to the next one.
async function leave(name, text) {
  const card = document.getElementById(`stream-${name}`);
  const next = card?.nextElementSibling ?? card?.previousElementSibling ?? one("h1");
  await follow({ mayMove: true });
  say(text);
  next.focus();
}

async function setDelay(form) {
  const input = form.elements.score_delay_s;
  const body = { score_delay_s: input.value === "" ? null : Number(input.value) };
  const fault = await order(`/streams/${form.dataset.delay}`, "PATCH", body);
  input.setAttribute("aria-invalid", Boolean(fault));
  one(".error", form).textContent = fault;
  if (fault) return;
  input.defaultValue = input.value;
  form.reset(); // from now on it shows what the service says
  say(`The score of ${form.dataset.delay} is now shown ${input.value} s later`);
}

async function goBack(name, feed) {
  const fault = await backToFeed(name, feed);
  await follow();
  say(fault || `The score of ${name} comes from the feed again`);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  const { dataset } = button;
  if ("start" in dataset) openStart();
  else if ("again" in dataset) openStart(dataset.again);
  else if ("stop" in dataset) openStop(dataset.stop);
  else if ("dismiss" in dataset) dismiss(dataset.dismiss);
  else if ("feed" in dataset) goBack(dataset.feed, dataset.to);
  else if ("try" in dataset) tryFeed(button.form);
  else if ("close" in dataset) button.closest("dialog").close();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const act = form.dataset.delay ? setDelay : startDialog.contains(form) ? start : stopDialog.contains(form) ? stop : null;
  if (!act) return; // the browser sends it
  event.preventDefault();
  act(form);
});

one("[data-reveal]").addEventListener("change", ({ target }) => reveal(target.checked));

cards.addEventListener("pointerdown", () => { handsOffUntil = Infinity; });
cards.addEventListener("pointermove", () => { handsOffUntil = Math.max(handsOffUntil, performance.now() + HANDS_OFF_MS); });
for (const type of ["pointerup", "pointercancel"]) {
  document.addEventListener(type, () => { handsOffUntil = performance.now() + HANDS_OFF_MS; });
}

cards.addEventListener("toggle", ({ target }) => {
  if (!target.matches(".camera")) return;
  if (target.open) showCamera(one("[data-camera]", target));
  else hideCamera(one("[data-camera]", target));
}, true);

for (const type of ["load", "error"]) {
  cards.addEventListener(type, ({ target }) => noteLoaded(target), true);
}

document.addEventListener("visibilitychange", () => follow());

for (const card of cards.children) inView.observe(card);
for (const image of all(".picture img")) if (image.complete) noteLoaded(image);
timer = setTimeout(follow, POLL_MS);
setTimeout(followPictures, PICTURES_MS);
