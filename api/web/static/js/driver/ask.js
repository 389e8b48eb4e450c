// Questions to the API that may find no network. Nothing here leaves the page: who has to log in again is told so by it.

import { ask as asked } from "../http.js";

const PATIENCE_MS = 20_000; // under a bridge a request may hang for minutes

/** Ask; returns the answer's JSON. Throws a Problem: status 0 when nobody answered. */
export function ask(method, path, { query = {}, body = null } = {}) {
  const told = body === null ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  return asked(method, path, query, { ...told, signal: AbortSignal.timeout(PATIENCE_MS) });
}
