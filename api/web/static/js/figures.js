// The strip of figures and the announcements that a screen reader should hear.

import { byId, say } from "./dom.js";
import { dayName, kilometres, number } from "./format.js";
import { n, t } from "./i18n.js";
import { known, whenLoaded } from "./store.js";

let overstays = null;
let planId = null;

export function start() {
  whenLoaded("plan", plan);
  whenLoaded("bins", () => known.plan && plan(known.plan));
  whenLoaded("bays", bays);
  whenLoaded("parking", ({ free, total, unknown }) => {
    say("figure-free", number(free));
    say("figure-free-note", unknown
      ? n("sur {total}, {count} inconnue", "sur {total}, {count} inconnues", unknown, { total: number(total) })
      : t("sur {total}", { total: number(total) }));
  });
  whenLoaded("intake", ({ messages, duplicates, refused, refusals }) => {
    say("figure-readings", number(messages));
    say("figure-readings-note", duplicates ? t("dont {count} en double", { count: number(duplicates) }) : "");
    say("figure-refused", number(refused));
    say("figure-refused-note", refused ? n("gardés, {count} motif", "gardés, {count} motifs", refusals.length) : "");
  });
}

function plan({ plan_id: id, bin_count: count, distance_m: metres, routes, service_date: day }) {
  say("figure-to-empty", number(count));
  say("figure-to-empty-note", known.bins ? t("sur {total}", { total: number(known.bins.bins.length) }) : "");
  say("figure-distance", kilometres(metres));
  say("figure-distance-note", n("{count} véhicule", "{count} véhicules", routes.length));
  if (planId && planId !== id) {
    say("announcer", n("Nouveau plan pour le {day} : {count} corbeille à vider.", "Nouveau plan pour le {day} : {count} corbeilles à vider.", count, { day: dayName(day) }));
  }
  planId = id;
}

function bays({ counts, delivery_bays: all }) {
  const over = counts.over_limit;
  say("figure-overstays", number(over));
  say("figure-overstays-note", t("sur {total}", { total: number(all.length) }));
  byId("figure-overstays").closest("div").classList.toggle("warn", over > 0);
  if (overstays !== null && over > overstays) {
    say("announcer", n("{count} aire de livraison en dépassement.", "{count} aires de livraison en dépassement.", over));
  }
  overstays = over;
}
