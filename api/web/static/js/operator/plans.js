// The last plan and forecast, and the models that serve.

import { byId } from "../dom.js";
import { dayName, kilometres, since } from "../format.js";
import { n, t } from "../i18n.js";
import { fact, moment, worked } from "./items.js";

const STATUS = { draft: t("brouillon"), published: t("publié"), superseded: t("remplacé"), discarded: t("abandonné") };
const ORIGIN = { planned: t("planifié"), edited: t("modifié"), repaired: t("réparé en cours de tournée") };

export function show({ last_plan: plan, last_forecast_at: forecast, fill_model: fill, occupancy_model: occupancy, now }) {
  byId("plans").replaceChildren(
    plan
      ? fact(t("Dernier plan"), t("{day} : {status}, {origin}", { day: dayName(plan.service_date), status: STATUS[plan.status] ?? plan.status, origin: ORIGIN[plan.origin] ?? plan.origin }),
        [n("{count} tournée", "{count} tournées", plan.routes), kilometres(plan.distance_m), t("calculé en {seconds} par {engine}", { seconds: worked(plan.solve_s), engine: plan.engine }), plan.travel_source, moment(plan.made_at)].join(" · "))
      : fact(t("Dernier plan"), t("aucun"), t("Le travailleur planifie chaque soir, dès qu’il y a des corbeilles, un véhicule et une prévision.")),
    forecast
      ? fact(t("Dernière prévision"), since(forecast, now))
      : fact(t("Dernière prévision"), t("aucune"), t("Elle vient avec les premières mesures.")),
    model(t("Modèle de remplissage"), fill, now),
    model(t("Modèle d’occupation"), occupancy, now),
  );
}

function model(name, serving, now) {
  if (!serving) return fact(name, t("aucun en service"), t("Le travailleur en apprend un chaque nuit."));
  return fact(name, serving.method, t("appris {since}", { since: since(serving.as_of, now) }));
}
