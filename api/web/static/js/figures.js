// The strip of figures and the announcements that a screen reader should hear.

import { byId, say } from "./dom.js";
import { dayName, kilometres, number, plural } from "./format.js";
import { known, whenLoaded } from "./store.js";

let overstays = null;
let planId = null;

export function start() {
  whenLoaded("plan", plan);
  whenLoaded("bins", () => known.plan && plan(known.plan));
  whenLoaded("bays", bays);
  whenLoaded("parking", ({ free, total, unknown }) => {
    say("figure-free", number(free));
    say("figure-free-note", `sur ${number(total)}${unknown ? `, ${plural(unknown, "inconnue")}` : ""}`);
  });
  whenLoaded("intake", ({ messages, duplicates, refused, refusals }) => {
    say("figure-readings", number(messages));
    say("figure-readings-note", duplicates ? `dont ${number(duplicates)} en double` : "");
    say("figure-refused", number(refused));
    say("figure-refused-note", refused ? `gardés, ${plural(refusals.length, "motif")}` : "");
  });
}

function plan({ plan_id: id, bin_count: count, distance_m: metres, routes, service_date: day }) {
  say("figure-to-empty", number(count));
  say("figure-to-empty-note", known.bins ? `sur ${number(known.bins.bins.length)}` : "");
  say("figure-distance", kilometres(metres));
  say("figure-distance-note", plural(routes.length, "véhicule"));
  if (planId && planId !== id) say("announcer", `Nouveau plan pour le ${dayName(day)} : ${plural(count, "corbeille")} à vider.`);
  planId = id;
}

function bays({ counts, delivery_bays: all }) {
  const over = counts.over_limit;
  say("figure-overstays", number(over));
  say("figure-overstays-note", `sur ${number(all.length)}`);
  byId("figure-overstays").closest("div").classList.toggle("warn", over > 0);
  if (overstays !== null && over > overstays) say("announcer", `${plural(over, "aire")} de livraison en dépassement.`);
  overstays = over;
}
