// Keeps the scorer's page on the phone, so that it opens without a network. What it keeps is of one version.

const VERSION = {{ version | tojson }};
const PAGE = "/score/page";
const FILES = [PAGE, ...{{ files | tojson }}];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES.map((path) => new Request(path, { cache: "reload" })))));
});

self.addEventListener("activate", (event) => {
  const old = async () => (await caches.keys()).filter((name) => name !== VERSION);
  event.waitUntil(old().then((names) => Promise.all(names.map((name) => caches.delete(name)))));
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  // Every stream has the same page: it takes the stream's name from its address.
  const path = event.request.mode === "navigate" && /^\/score\/[^/]+$/.test(pathname) ? PAGE : pathname;
  if (!FILES.includes(path)) return;
  event.respondWith(caches.open(VERSION).then(async (cache) => (await cache.match(path)) ?? fetch(event.request)));
});
