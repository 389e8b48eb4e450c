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
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** GET a path under the commune; returns JSON or throws a Problem. */
export async function get(path = "", query = {}) {
  const search = new URLSearchParams(query).toString();
  let response;
  try {
    response = await fetch(`${base}${path}${search ? `?${search}` : ""}`, { headers: { Accept: "application/json" } });
  } catch {
    throw new Problem(0, "no answer");
  }
  if (response.status === 401) logInAgain();
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Problem(response.status, problem.detail ?? response.statusText);
  }
  return response.json();
}

export const liveAddress = `${base}/live`;
