// Questions to the API that may find no network. Nothing here leaves the page: who has to log in again is told so by it.

import { addressOf, Problem } from "../http.js";

const PATIENCE_MS = 20_000; // under a bridge a request may hang for minutes

/** Ask; returns the answer's JSON, or null where there is none. Throws a Problem: status 0 when nobody answered. */
export async function ask(method, path, { query = {}, body = null } = {}) {
  const search = new URLSearchParams(query).toString();
  const headers = { Accept: "application/json" };
  if (body !== null) headers["Content-Type"] = "application/json";
  let response;
  let answer;
  try {
    response = await fetch(`${addressOf(path)}${search ? `?${search}` : ""}`, {
      method,
      headers,
      body: body === null ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    answer = await response.json().catch(() => null);
  } catch {
    throw new Problem(0, "no answer");
  }
  if (!response.ok) throw new Problem(response.status, answer?.detail ?? response.statusText);
  if (answer === null) throw new Problem(0, "an answer that is not ours"); // such as a hotel's page to log in
  return answer;
}
