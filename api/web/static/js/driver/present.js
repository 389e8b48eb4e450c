// The commune's present, with or without network: its own clock since it was last told, whatever the tablet's says.

import { useZone } from "../format.js";
import { ask } from "./ask.js";
import { keep, kept } from "./box.js";

let told = null;

/** The commune's now. */
export function now() {
  if (!told) return new Date();
  return new Date(new Date(told.commune.now).getTime() + (Date.now() - told.at) * told.commune.clock_rate);
}

/** Take what the tablet kept. */
export async function recall() {
  told = (await kept("present")) ?? null;
  if (told) useZone(told.commune.time_zone);
}

/** Ask the server. Throws a Problem. */
export async function renew() {
  const before = Date.now();
  const answer = await ask("GET", "");
  told = { commune: answer, at: before + (Date.now() - before) / 2 };
  useZone(answer.time_zone);
  await keep("present", told);
}
