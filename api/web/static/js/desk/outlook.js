// What is to be known of each bin beside its level: when it will be full, its alarms, whether its sensor is silent.

import { fillOf } from "../bin_looks.js";
import * as clock from "../clock.js";
import { dayAfter, dayOf } from "../format.js";
import { t } from "../i18n.js";
import { known } from "../store.js";
import { desk } from "./day.js";
import { shown } from "./trying.js";

export const SEVERITIES = ["urgent", "important", "minor"];
export const SEVERITY_WORDS = { urgent: t("urgent"), important: t("important"), minor: t("mineur") };
const NO_ALERTS = [];

let made = null;
let madeOf = [];

/** Return by place `{ fullDay, alerts, silent }`; `fullDay` is the local day by which the bin is full with an even chance. */
export function outlook() {
  const parts = [known.bins, known.forecasts, known.alerts];
  if (made && parts.every((part, index) => part === madeOf[index])) return made;
  madeOf = parts;
  const full = new Map((known.forecasts?.bins ?? []).map((bin) => [bin.place_id, bin.full.full_at]));
  const alerts = new Map();
  for (const alert of known.alerts?.alerts ?? []) {
    if (alert.closed_at || alert.place_id === null) continue;
    alerts.set(alert.place_id, [...(alerts.get(alert.place_id) ?? []), alert]);
  }
  made = new Map((known.bins?.bins ?? []).map((bin) => {
    const open = alerts.get(bin.place_id) ?? NO_ALERTS;
    const isFull = (fillOf(bin) ?? 0) >= 1;
    const fullAt = full.get(bin.place_id);
    return [bin.place_id, {
      fullDay: isFull ? dayOf(clock.now()) : fullAt ? dayOf(fullAt) : null,
      fullAt: isFull ? null : (fullAt ?? null),
      alerts: open.filter((alert) => alert.kind !== "silent"),
      silent: open.some((alert) => alert.kind === "silent") || (bin.has_sensor && bin.measured === null && bin.newest === null),
    }];
  }));
  return made;
}

let served = { of: null, places: new Set() };

function servedBy(plan) {
  if (served.of !== plan) served = { of: plan, places: new Set((plan?.routes ?? []).flatMap((route) => route.stops.map((stop) => stop.place_id))) };
  return served.places;
}

/** Alerts of networks, which are of no place. */
export const networkAlerts = () => (known.alerts?.alerts ?? []).filter((alert) => !alert.closed_at && alert.place_id === null);

/** What the list and the map can be narrowed to. */
export const FILTERS = {
  all: { title: t("Toutes"), holds: () => true },
  today: { title: t("Pleines aujourd’hui"), holds: (facts) => facts.fullDay !== null && facts.fullDay <= dayOf(clock.now()) },
  tomorrow: { title: t("Pleines demain"), holds: (facts) => facts.fullDay === dayAfter(dayOf(clock.now())) },
  missed: { title: t("Pleines, hors tournée"), holds: (facts, bin) => facts.fullDay !== null && facts.fullDay <= (desk.day ?? dayOf(clock.now())) && !servedBy(shown()).has(bin.place_id) },
  alarms: { title: t("Alarmes"), holds: (facts) => facts.alerts.length > 0 },
  silent: { title: t("Capteurs muets"), holds: (facts) => facts.silent },
};

/** The bins that a filter holds. */
export function binsOf(filter) {
  const facts = outlook();
  return (known.bins?.bins ?? []).filter((bin) => FILTERS[filter].holds(facts.get(bin.place_id), bin));
}

/** The gravest first. */
export const byGravity = (one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity);
