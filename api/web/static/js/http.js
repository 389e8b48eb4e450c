// The API of this page's own server. Addresses start from this file's own, so that pages work under any sub-path.

/** The application's root: this file is two folders below it. */
export const root = new URL("../../", import.meta.url);

const base = new URL(`api/v1/communes/${encodeURIComponent(document.body.dataset.commune)}`, root);

/** Leave for the page to log in, which leads back here: the session is over. */
export function logInAgain() {
  const after = location.pathname.slice(root.pathname.length);
  location.assign(new URL(`connexion?after=${encodeURIComponent(after)}`, root));
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

/** GET a path under the commune; returns JSON or throws a Problem. */
export const get = (path = "", query = {}) => ask("GET", path, query);

/** POST (or `method`) JSON, or a file's text of another `type`; returns JSON or throws a Problem. */
export function send(path, body, { method = "POST", query = {}, type = "application/json" } = {}) {
  const text = type === "application/json" ? JSON.stringify(body) : body;
  return ask(method, path, query, { body: text, headers: { Accept: "application/json", "Content-Type": type } });
}

/** The address of a path under the commune, for links. */
export const addressOf = (path) => `${base}${path}`;

async function ask(method, path, query, more = { headers: { Accept: "application/json" } }) {
  const search = new URLSearchParams(query).toString();
  let response;
  try {
    response = await fetch(`${base}${path}${search ? `?${search}` : ""}`, { method, ...more });
  } catch {
    throw new Problem(0, "no answer");
  }
  if (response.status === 401) logInAgain();
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Problem(response.status, problem.detail ?? response.statusText, problem);
  }
  return response.json();
}

export const liveAddress = `${base}/live`;
