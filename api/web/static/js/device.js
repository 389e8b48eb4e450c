// This device's own key, which never leaves it: the session of a crew or a patrol is bound to it, and a cookie that was
// copied elsewhere ends within minutes, since nobody there can answer the server's challenges (api/device_proof.py).

import { root } from "./root.js";

const NAME = `voirie appareil ${root.pathname}`;
const KIND = { name: "ECDSA", namedCurve: "P-256" };
const HASH = { name: "ECDSA", hash: "SHA-256" };
const PATIENCE_MS = 20_000;

let proving = null;
let until_ms = 0;

/**
 * Prove that the session is on this device. Resolves to "proved", "away" (nobody answered: later), or "lost": no session
 * of this device's, who works here has to log in again.
 */
export function prove() {
  proving ??= (navigator.locks ? navigator.locks.request(NAME, answer) : answer()).catch(() => "away").finally(() => {
    proving = null;
  });
  return proving;
}

/** Until when the last proof that this page got is good, milliseconds since 1970; 0: it got none. */
export const provedUntil = () => until_ms;

/** Answer a challenge, and a second one where the first was over (the device slept) or another page was quicker. */
async function answer() {
  for (const _turn of [1, 2]) {
    const said = await answerOne();
    if (said !== "again") return said;
  }
  return "away";
}

async function answerOne() {
  const asked = await post("appareil/defi");
  if (!asked.ok) return told(asked);
  const { challenge, bound } = await asked.json();
  const pair = await pairOf({ make: !bound });
  if (!pair) return "lost";
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const device_key = bound ? null : { kty, crv, x, y };
  const began = Date.now();
  const done = await post("appareil/preuve", { answer: await signed(pair.privateKey, { jti: challenge }), device_key });
  if (!done.ok) return told(done);
  const { lasts_s } = await done.json();
  until_ms = began + 1000 * lasts_s;
  return "proved";
}

const told = ({ status }) => (status === 401 || status === 403 ? "lost" : status === 409 ? "again" : "away");

function post(path, body = null) {
  const content = body === null ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  return fetch(new URL(path, root), { method: "POST", signal: AbortSignal.timeout(PATIENCE_MS), ...content });
}

/** A JSON Web Token (RFC 7519), which the browser signs in the form that ES256 asks for. */
async function signed(key, claims) {
  const text = [{ alg: "ES256", typ: "dbsc+jwt" }, claims].map((part) => base64url(new TextEncoder().encode(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign(HASH, key, new TextEncoder().encode(text));
  return `${text}.${base64url(new Uint8Array(signature))}`;
}

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// --- where the key lies ---

/** The device's pair of keys; null when it has none and none is to be made. Browsers keep them, and show them to nobody. */
async function pairOf({ make }) {
  const kept = await within("readonly", (store) => store.get("pair"));
  if (kept || !make) return kept ?? null;
  const pair = await crypto.subtle.generateKey(KIND, false, ["sign", "verify"]);
  await within("readwrite", (store) => store.put(pair, "pair"));
  return pair;
}

async function within(mode, work) {
  const box = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = box.transaction("kept", mode, { durability: "strict" });
      const request = work(transaction.objectStore("kept"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    box.close();
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
