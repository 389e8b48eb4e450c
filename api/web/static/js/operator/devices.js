// Devices by how they are: those first that need somebody.

import { byId, keepFocus, make, say } from "../dom.js";
import { number, percent, since } from "../format.js";
import { get } from "../http.js";
import { n, t } from "../i18n.js";
import { item } from "./items.js";
import { trying } from "./trouble.js";

const PAGE = 50;
const CONDITIONS = {
  silent: ["bad", t("Muets")],
  never_heard: ["bad", t("Jamais entendus")],
  faulty: ["doubt", t("Mesures douteuses")],
  battery_low: ["doubt", t("Pile faible")],
  radio_weak: ["doubt", t("Radio faible")],
  well: ["good", t("Bons")],
  in_stock: ["none", t("En stock")],
  retired: ["none", t("Retirés")],
};
const WORDS = {
  silent: t("muet"),
  never_heard: t("jamais entendu"),
  faulty: t("mesures douteuses"),
  battery_low: t("pile faible"),
  radio_weak: t("radio faible"),
  well: t("bon"),
  in_stock: t("en stock"),
  retired: t("retiré"),
};
const ALARMS = {
  fire: t("feu"), hot: t("trop chaud"), tilted: t("renversé"), overflow: t("débordement"),
  missed_emptying: t("vidage manqué"), sensor_fault: t("panne de capteur"), stuck: t("mesure figée"),
  blocked: t("capteur masqué"), out_of_calibration: t("étalonnage à refaire"), silent: t("silence"),
  network_silent: t("réseau muet"), battery_low: t("pile faible"), radio_weak: t("radio faible"),
  contradicted: t("contredit sur place"),
};

let chosen = null;
let shown = 0;
let asked = 0;
let typing = 0;
let counts = {};

export function start() {
  byId("device-search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => trying(list), 200);
  });
  byId("more-devices").addEventListener("click", () => trying(() => list({ more: true })));
}

export async function show(state) {
  counts = state.devices;
  chips();
  if (shown <= PAGE) await list();
}

function chips() {
  const had = document.activeElement?.dataset?.condition;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const chip = (name, text, count) =>
    make("button", {
      class: "chip", type: "button", "aria-pressed": chosen === name, "data-condition": name ?? "all",
      onclick: () => { chosen = name; chips(); trying(list); },
    }, text, make("b", {}, number(count)));
  byId("conditions").replaceChildren(chip(null, t("Tous"), all),
    ...Object.entries(CONDITIONS).filter(([name]) => counts[name]).map(([name, [, text]]) => chip(name, text, counts[name])));
  if (had) byId("conditions").querySelector(`[data-condition="${had}"]`)?.focus();
}

async function list({ more = false } = {}) {
  const mine = ++asked;
  const query = { limit: PAGE, skip: more ? shown : 0, search: byId("device-search").value };
  if (chosen) query.condition = chosen;
  const answer = await get("/operation/devices", query);
  if (mine !== asked) return; // something newer was asked for meanwhile
  const rows = answer.devices.map((device) => row(device, answer.now));
  if (more) byId("devices").append(...rows);
  else keepFocus(byId("devices"), rows, nothing());
  shown = query.skip + rows.length;
  say("device-count", n("{count} capteur", "{count} capteurs", answer.found));
  byId("more-devices").hidden = shown >= answer.found;
}

function nothing() {
  if (byId("device-search").value || chosen) return t("Aucun capteur ne correspond.");
  return t("Aucun capteur n’est encore connu. Donnez-en la liste : voirie devices import FICHIER.csv");
}

function row(device, now) {
  const [level] = CONDITIONS[device.condition];
  const notes = [
    device.heard_at && t("entendu {since}", { since: since(device.heard_at, now) }),
    device.network,
    device.battery_percent !== null && t("pile {share}", { share: percent(device.battery_percent / 100) }),
    device.battery_percent === null && device.battery_v !== null && `${device.battery_v.toFixed(2)} V`,
    device.rssi_dbm !== null && t("radio {dbm} dBm", { dbm: Math.round(device.rssi_dbm) }),
    device.loss_fraction > 0.01 && t("{share} de trames perdues", { share: percent(device.loss_fraction) }),
  ].filter(Boolean);
  const alarms = device.alarms.map((kind) => ALARMS[kind] ?? kind).join(", ");
  return item({
    level, name: device.eui, of: device.place_id ?? "", value: WORDS[device.condition],
    note: [device.model, ...notes, alarms && t("alerte : {alarms}", { alarms })].filter(Boolean).join(" · "),
  });
}
