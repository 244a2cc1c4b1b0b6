// What a camera needs to publish. It is asked for when somebody opens it, because it holds the camera's key.

import { ask, SessionEnded } from "./service.js";

const APPS = { url: "any app that scans an address", larix: "Larix Broadcaster", moblin: "Moblin" };

/**
 * Fill the place with the stream's server, stream key and QR code.
 * @param {HTMLElement} place
 */
export async function showCamera(place) {
  const path = `/streams/${place.dataset.camera}/camera`;
  try {
    const answer = await ask(path, { cache: "no-store" });
    const told = await answer.json();
    if (answer.ok) place.replaceChildren(...fields(told), ...qrCode(path));
    else place.replaceChildren(made("p", { className: "error", textContent: told.error }));
  } catch (error) {
    if (error instanceof SessionEnded) return;
    place.replaceChildren(made("p", { className: "error", textContent: "The service does not answer" }));
  }
}

/** @param {HTMLElement} place */
export function hideCamera(place) {
  place.replaceChildren();
}

/** @param {{servers: string[], stream_key: string}} told */
function fields({ servers, stream_key }) {
  const lines = servers.map((server, index) => [index ? "or server" : "Server", server]);
  return [...lines, ["Stream key", stream_key]].map(([label, text]) => {
    const value = made("code", { textContent: text });
    const button = made("button", { type: "button", className: "plain", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy ${label.toLowerCase()}`);
    button.addEventListener("click", () => copy(value, button));
    const line = made("div", { className: "copied" });
    line.append(made("span", { textContent: label }), value, button);
    return line;
  });
}

/** @param {string} path */
function qrCode(path) {
  const image = made("img", { className: "qr", width: 240, height: 240 });
  const choice = made("select", {});
  for (const [value, textContent] of Object.entries(APPS)) choice.append(made("option", { value, textContent }));
  const show = () => {
    image.src = `${path}/qr.svg?app=${choice.value}`;
    image.alt = `QR code for ${APPS[choice.value]}`;
  };
  choice.addEventListener("change", show);
  show();
  const label = made("label", { textContent: "QR code for " });
  label.append(choice);
  return [label, image];
}

/**
 * @param {HTMLElement} value
 * @param {HTMLButtonElement} button
 */
async function copy(value, button) {
  // Without https a page may not write to the clipboard, but the reader's selection can be copied.
  getSelection().selectAllChildren(value);
  let isCopied = false;
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(value.textContent);
    isCopied = Boolean(navigator.clipboard) || document.execCommand("copy");
  } catch {
    // The text stays selected.
  }
  button.textContent = isCopied ? "Copied" : "Selected";
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 */
function made(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
