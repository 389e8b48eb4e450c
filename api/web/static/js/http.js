// The API of this page's own server.

import { prove } from "./device.js";
import { root } from "./root.js";

const base = new URL(`api/v1/communes/${encodeURIComponent(document.body.dataset.commune)}`, root);

/** The address of the page to log in, which leads back here. */
export function logInAddress() {
  const after = location.pathname.slice(root.pathname.length);
  return new URL(`connexion?after=${encodeURIComponent(after)}`, root);
}

/** What the server answered instead of data: its problem details, or status 0 when it did not answer. */
export class Problem extends Error {
  constructor(status, detail, { type = "", errors = [], held = null } = {}) {
    super(detail);
    this.status = status;
    this.kind = type.slice(type.lastIndexOf(":") + 1); // "conflict", "edit-refused", … (docs/http.md)
    this.errors = errors;
    this.held = held; // of "check-taken": by whom, since when and until when
  }
}

/** GET a path under the commune; returns JSON or throws a Problem. When the session is over, leaves to log in. */
export const get = (path = "", query = {}) => loggedIn(ask("GET", path, query));

/** POST (or `method`) JSON, or a file's text of another `type`; returns JSON or throws a Problem. */
export function send(path, body, { method = "POST", query = {}, type = "application/json" } = {}) {
  const text = type === "application/json" ? JSON.stringify(body) : body;
  return loggedIn(ask(method, path, query, { body: text, headers: { "Content-Type": type } }));
}

/** The address of a path under the commune, for links. */
export const addressOf = (path) => `${base}${path}`;

/** Ask, and stay whatever is answered; `more` are options of fetch. Returns JSON or throws a Problem. */
export async function ask(method, path, query = {}, more = {}) {
  try {
    return await asked(method, path, query, more);
  } catch (error) {
    // In a dead spot, or while the device slept, its proof ran out.
    if (!(error instanceof Problem) || error.kind !== "prove-device") throw error;
    const said = await prove();
    if (said === "away") throw new Problem(0, "no answer");
    if (said === "lost") throw error;
    return asked(method, path, query, more);
  }
}

async function asked(method, path, query, { headers = {}, ...more }) {
  const search = new URLSearchParams(query).toString();
  let response;
  try {
    response = await fetch(`${base}${path}${search ? `?${search}` : ""}`, { method, headers: { Accept: "application/json", ...headers }, ...more });
  } catch {
    throw new Problem(0, "no answer");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Problem(response.status, answer?.detail ?? response.statusText, answer ?? {});
  if (answer === null) throw new Problem(0, "half an answer, or one that is not ours"); // such as a hotel's page to log in
  return answer;
}

async function loggedIn(asking) {
  try {
    return await asking;
  } catch (error) {
    if (error.status === 401) location.assign(logInAddress());
    throw error;
  }
}

export const liveAddress = `${base}/live`;
