// What the tablet keeps for dead spots, in IndexedDB: the round under way, its streets, and every tap of it.

import { root } from "../root.js";

const VERSION = 1;
// Several towns, or installations under several paths of one host, do not see each other's.
const NAME = `voirie tournée ${root.pathname}${document.body.dataset.commune}`;

let opened = null;
let over = false;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("kept");
      request.result.createObjectStore("taps", { keyPath: "turn", autoIncrement: true });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** Run `work(store)` in a transaction; resolves to its request's result once it is on the disk. */
async function within(name, mode, work) {
  const box = await open();
  return new Promise((resolve, reject) => {
    const transaction = box.transaction(name, mode, { durability: "strict" });
    const request = work(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** What was kept under a name, or undefined. */
export const kept = (name) => within("kept", "readonly", (store) => store.get(name));

/** Keep a value under a name; nothing once the shift is over. */
export const keep = async (name, value) => (over ? undefined : within("kept", "readwrite", (store) => store.put(value, name)));

/** All taps, in the order in which they were made. */
export const taps = () => within("taps", "readonly", (store) => store.getAll());

/** Keep a tap; a new one gets its `turn`. */
export async function keepTap(tap) {
  if (over) return;
  const turn = await within("taps", "readwrite", (store) => store.put(tap));
  tap.turn = turn;
}

export const dropTap = (tap) => within("taps", "readwrite", (store) => store.delete(tap.turn));

/** Forget all, and keep nothing more, whatever answers are still under way. */
export async function endShift() {
  over = true;
  await empty();
}

/** Forget the round and all that belongs to it. */
export async function empty() {
  await within("kept", "readwrite", (store) => store.clear());
  await within("taps", "readwrite", (store) => store.clear());
}
