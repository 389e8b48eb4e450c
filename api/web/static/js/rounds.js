// The rounds of the plan: one colour a vehicle, every stop with its reason, and what was left for another day.

import { showBin } from "./bins.js";
import { byId, keepFocus, make, say } from "./dom.js";
import { clockTime, dayName, duration, kilometres } from "./format.js";
import { get } from "./http.js";
import { n, t } from "./i18n.js";
import * as map from "./map.js";
import { roundClass } from "./palette.js";
import { reasonIn } from "./reasons.js";
import { drawRounds, KIND_WORDS } from "./round_lines.js";
import { known, whenLoaded } from "./store.js";

let chosen = null;
let lines = [];

export function start() {
  whenLoaded("plan", (plan) => {
    chosen = null;
    list(plan);
    draw(plan);
    leftOut(plan);
  });
  byId("left-out").addEventListener("toggle", listLeftOut);
}

function list(plan) {
  say("rounds-title", t("Tournées du {day}", { day: dayName(plan.service_date) }));
  say("rounds-lead", n("{count} corbeille, {distance}, plan vérifié de façon indépendante.", "{count} corbeilles, {distance}, plan vérifié de façon indépendante.", plan.bin_count, { distance: kilometres(plan.distance_m) }));
  byId("round-list").replaceChildren(...plan.routes.map((route) => item(plan, route)));
}

function item(plan, route) {
  const open = chosen === route.route_index;
  const name = `round-stops-${route.route_index}`;
  const element = make("li", { class: `round ${roundClass(route.route_index)}` },
    make("button", { type: "button", "aria-expanded": open, "aria-controls": name, "data-place": `round-${route.route_index}`, onclick: () => choose(plan, route) },
      make("span", { class: "round-swatch", "aria-hidden": true }, String(route.route_index + 1)),
      make("span", { class: "round-name" }, route.vehicle_name),
      make("span", { class: "round-hours" }, `${clockTime(route.start_at)} – ${clockTime(route.end_at)}`),
      make("span", { class: "round-note" }, [n("{count} corbeille", "{count} corbeilles", route.bin_count), kilometres(route.distance_m), duration(route.duration_s)].join(" · "))));
  if (open) {
    element.append(make("ol", { class: "stops", id: name }, ...route.stops.map((stop) => make("li", {},
      make("button", { class: "stop", type: "button", onclick: () => stop.kind === "bin" && showBin(stop.place_id) },
        make("time", { datetime: stop.arrive_at }, clockTime(stop.arrive_at)),
        make("span", { class: "stop-name" }, stop.kind === "bin" ? stop.place_id : KIND_WORDS[stop.kind]),
        stop.reason && reasonIn("span", { class: "stop-reason" }, stop.reason))))));
  }
  return element;
}

function choose(plan, route) {
  chosen = chosen === route.route_index ? null : route.route_index;
  const rows = plan.routes.map((each) => item(plan, each));
  keepFocus(byId("round-list"), rows, "");
  draw(plan);
  const line = lines.find((each) => each.index === chosen);
  if (line) map.showBounds(line.bounds);
}

function draw(plan) {
  lines = drawRounds(map.group("rounds"), plan, { chosen });
}

function leftOut(plan) {
  const details = byId("left-out");
  details.hidden = plan.left_out_count === 0;
  say("left-out-title", n("{count} corbeille pour un autre jour", "{count} corbeilles pour un autre jour", plan.left_out_count));
  byId("left-out-list").replaceChildren();
  if (details.open) listLeftOut();
}

async function listLeftOut() {
  const listElement = byId("left-out-list");
  if (!byId("left-out").open || listElement.childElementCount) return;
  const { left_out: items } = await get(`/plans/${known.plan.plan_id}/left-out`);
  listElement.replaceChildren(...items.map((entry) => make("li", {},
    make("button", { class: "row", type: "button", "data-place": entry.place_id, onclick: () => showBin(entry.place_id) },
      make("span", { class: "row-name" }, entry.place_id),
      reasonIn("span", { class: "row-note" }, entry.reason)))));
}
