// What is told once crews are under way: the rounds are repaired by it, not edited.

import * as clock from "../clock.js";
import { make } from "../dom.js";
import { Problem, send } from "../http.js";
import { t } from "../i18n.js";
import { why } from "../refused.js";
import { uuid } from "../uuid.js";
import { tell } from "./sheet.js";

export const declareBin = (placeId, kind) =>
  declare("/service-events", (common) => ({ events: [{ ...common, place_id: placeId, kind, found_fraction: kind === "overflowing" ? 1 : null }] }));

export const declareVehicle = (vehicleId, kind) =>
  declare("/vehicle-events", (common) => ({ vehicle_events: [{ ...common, vehicle_id: vehicleId, kind }] }));

function declare(path, bodyOf) {
  return say(path, bodyOf({ event_id: uuid(), happened_at: clock.now().toISOString() }));
}

/** Send; after a failure the same declaration, with its id, can be sent again without harm. */
async function say(path, body) {
  tell(make("p", { role: "status" }, t("Envoi…")));
  try {
    await send(path, body);
    tell(make("p", { class: "good", role: "status" }, t("C’est dit. Si les tournées doivent changer, la version réparée apparaît ici dans la minute.")));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const words = error.status === 0 ? t("Le service ne répond pas. Rien n’a été enregistré.") : t("Le service a refusé : {why}", { why: why(error) });
    tell(
      make("p", { class: "alert", role: "alert" }, words),
      make("p", { class: "buttons" }, make("button", { type: "button", class: "button primary", onclick: () => say(path, body) }, t("Envoyer de nouveau"))));
  }
}
