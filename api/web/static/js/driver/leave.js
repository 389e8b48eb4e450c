// On the page of an account: who logs out leaves no round behind on this device, unless taps of it were not sent yet.

import { byId } from "../dom.js";

const FAMILY = "voirie tournée ";

function unsent(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const box = request.result;
      const all = box.objectStoreNames.contains("taps") ? box.transaction("taps").objectStore("taps").getAll() : null;
      const done = (taps) => {
        box.close();
        resolve(taps.some((tap) => tap.state !== "sent"));
      };
      if (all) all.onsuccess = () => done(all.result);
      else done([]);
    };
  });
}

function drop(name) {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}

/** Forget rounds, pages and who keeps them; false when something was not sent. */
async function forget() {
  const names = ((await indexedDB.databases?.()) ?? []).map(({ name }) => name).filter((name) => name.startsWith(FAMILY));
  for (const name of names) if (await unsent(name)) return false;
  for (const name of names) await drop(name);
  for (const name of await caches.keys()) if (name.startsWith("voirie ")) await caches.delete(name);
  for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
  return true;
}

const form = document.getElementById("sign-out"); // where accounts are open there is nothing to leave
form?.addEventListener("submit", async (event) => {
  if (!navigator.serviceWorker || form.dataset.left) return;
  event.preventDefault();
  form.dataset.left = await forget();
  if (form.dataset.left === "true") form.submit();
  else byId("unsent").hidden = false; // said once; who presses again means it, and the taps stay for the next log-in
});
