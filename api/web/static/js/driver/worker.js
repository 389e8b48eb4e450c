// Keeps the tablet's pages and their files for dead spots. The server puts `self.KEPT` before this: the version, and
// the addresses of the files, relative to this one. Data is not its business: the page keeps that itself.

const { commune, version, files } = self.KEPT;
const SCOPE = new URL(self.registration.scope).pathname;
const FAMILY = `voirie ${commune} ${SCOPE} `;
const NAME = FAMILY + version;
const addresses = files.map((file) => new URL(file, self.location).href);
const kept = new Set(addresses);

self.addEventListener("install", (event) => event.waitUntil(install()));

async function install() {
  const cache = await caches.open(NAME);
  await cache.addAll(addresses.map((address) => new Request(address, { cache: "no-cache" })));
  for (const page of await olderPages()) {
    // With the session over there is no new page to be had: an old one still goes through the round.
    if (!(await keepPage(cache, page.request.url))) await cache.put(page.request.url, page.response);
  }
  await self.skipWaiting();
}

async function olderPages() {
  const found = [];
  for (const name of await olderNames()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      if (!kept.has(request.url) && new URL(request.url).pathname.startsWith(SCOPE)) found.push({ request, response: await cache.match(request, { ignoreVary: true }) });
    }
  }
  return found;
}

const olderNames = async () => (await caches.keys()).filter((name) => name.startsWith(FAMILY) && name !== NAME);

self.addEventListener("activate", (event) => event.waitUntil(activate()));

async function activate() {
  for (const name of await olderNames()) await caches.delete(name);
  await self.clients.claim();
}

/** Fetch a page and keep it; false when there is no such page now, or only the one to log in. */
async function keepPage(cache, address) {
  try {
    const response = await fetch(address, { cache: "no-cache", credentials: "same-origin", redirect: "manual" });
    if (!response.ok) return false;
    await cache.put(address, response);
    return true;
  } catch {
    return false;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const address = new URL(request.url);
  address.hash = "";
  if (request.mode === "navigate") {
    if (address.pathname.startsWith(SCOPE)) event.respondWith(page(event, address.href));
  } else if (kept.has(address.href)) {
    event.respondWith(file(request, address.href));
  }
});

/** The kept page at once, and a newer one for the next time: where the network is poor, waiting for it is worst. */
async function page(event, address) {
  const cache = await caches.open(NAME);
  const found = await cache.match(address, { ignoreVary: true });
  if (found) {
    event.waitUntil(keepPage(cache, address));
    return found;
  }
  try {
    return await fetch(event.request);
  } catch {
    // Another vehicle's page was never kept: the choice leads back to the round that was.
    const choice = new URL(SCOPE, self.location).href;
    return (await cache.match(choice, { ignoreVary: true })) && address !== choice ? Response.redirect(choice) : Response.error();
  }
}

async function file(request, address) {
  const cache = await caches.open(NAME);
  return (await cache.match(address, { ignoreVary: true })) ?? fetch(request);
}

self.addEventListener("message", (event) => {
  if (!event.data.keep) return;
  event.waitUntil(keepAll(event.data.keep).then((done) => event.ports[0].postMessage({ done })));
});

async function keepAll(pages) {
  const cache = await caches.open(NAME);
  const done = await Promise.all(pages.map((each) => keepPage(cache, each)));
  return done.every(Boolean);
}
