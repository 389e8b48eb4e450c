// Refused messages: by reason, with what to do about it; single ones with how they begin; and their replay.

import { byId, keepFocus, make, say } from "../dom.js";
import { number, since } from "../format.js";
import { get, Problem, send } from "../http.js";
import { n, t } from "../i18n.js";
import { why } from "../refused.js";
import { uuid } from "../uuid.js";
import { item, moment } from "./items.js";
import { trying } from "./trouble.js";

/** What each reason means, and what to do so that a replay takes its messages in; null: nothing would. */
const REASONS = {
  unknown_topic: [t("Sujet inconnu"), t("Déclarez ce réseau dans [[networks]] de voirie.toml, puis rejouez.")],
  too_large: [t("Trop gros"), t("Plus gros que ingest.max_payload_bytes : un appareil n’envoie pas cela.")],
  malformed_envelope: [t("Enveloppe illisible"), t("Vérifiez l’intégration du serveur de réseau : le format n’est pas celui du réseau déclaré.")],
  simulated_uplink: [t("Message simulé"), t("Envoyé à la main depuis la console du réseau : rien à faire.")],
  unknown_device: [t("Capteur inconnu"), t("Inscrivez le capteur (voirie devices import) : ses messages sont alors rejoués d’eux-mêmes.")],
  unknown_model: [t("Modèle inconnu"), t("Corrigez le modèle du capteur au registre : ses messages sont alors rejoués d’eux-mêmes.")],
  malformed_payload: [t("Mesure illisible"), t("Le modèle inscrit n’est sans doute pas le bon, ou le décodeur est à corriger.")],
  not_mounted: [t("Capteur sans lieu"), t("Dites où il est posé (voirie devices assign) : ses messages sont alors rejoués d’eux-mêmes.")],
  in_the_future: [t("Daté du futur"), t("L’horloge du capteur avance : remettez-la à l’heure.")],
  too_old: [t("Trop ancien"), t("Plus vieux que ingest.max_age_days : augmentez cette durée, puis rejouez.")],
  internal_error: [t("Erreur de Voirie"), t("Le journal du collecteur dit pourquoi. Mettez à jour, puis rejouez.")],
};
const MORE_WAIT_MS = 2_000;

let filter = {};
let next = null;
let pages = 0;
let waiting = 0;

export function start() {
  byId("refusal-filter-off").addEventListener("click", () => choose({}));
  byId("more-refusals").addEventListener("click", () => trying(() => list({ more: true })));
}

export async function refresh() {
  await Promise.all([pages > 1 ? kindsAlone() : list(), replays()]);
}

async function kindsAlone() {
  kinds(await get("/intake/refusals", { limit: 1 }));
}

async function list({ more = false } = {}) {
  const answer = await get("/intake/refusals", { ...filter, ...(more ? { before: next } : {}) });
  kinds(answer);
  const now = Date.now();
  const rows = answer.refused.map((one) => message(one, now));
  const open = new Set([...byId("refusals").querySelectorAll("details[open]")].map((each) => each.dataset.id));
  if (more) byId("refusals").append(...rows);
  else keepFocus(byId("refusals"), rows, t("Aucun message n’est refusé en ce moment."));
  for (const each of byId("refusals").querySelectorAll("details")) each.open = open.has(each.dataset.id);
  pages = more ? pages + 1 : 1;
  next = answer.next;
  byId("more-refusals").hidden = next === null;
}

function choose(chosen) {
  filter = chosen;
  const said = Object.keys(chosen).length > 0;
  byId("refusal-filter").hidden = !said;
  if (said) say("refusal-filter-text", [REASONS[chosen.reason]?.[0], chosen.network, chosen.device_eui].filter(Boolean).join(" · "));
  trying(list);
}

function kinds({ kinds: all }) {
  const had = document.activeElement?.dataset?.deed;
  keepFocus(byId("refusal-kinds"), all.map(kind), t("Rien n’est refusé : tout ce qui est arrivé a été lu."));
  if (had) byId("refusal-kinds").querySelector(`[data-deed="${CSS.escape(had)}"]`)?.focus({ preventScroll: true });
}

function kind({ reason, network, messages, devices, last_received_at: last }) {
  const [name, remedy] = REASONS[reason] ?? [reason, ""];
  const key = `${reason} ${network}`;
  return item({
    level: reason === "internal_error" ? "bad" : "doubt", name, of: network, value: n("{count} message", "{count} messages", messages),
    note: [devices > 0 && n("{count} capteur", "{count} capteurs", devices), t("dernier {since}", { since: since(last, Date.now()) })].filter(Boolean).join(" · "),
  },
  make("p", { class: "item-note" }, remedy),
  make("p", { class: "item-deeds" },
    make("button", { class: "button", type: "button", "data-deed": `see ${key}`, onclick: () => choose({ reason, network }) }, t("Voir les messages")),
    make("button", {
      class: "button primary", type: "button", "data-deed": `replay ${key}`,
      "aria-label": t("Rejouer : {name}, {network}", { name, network }), onclick: (event) => replay(event.currentTarget, { reasons: [reason], network }),
    }, t("Rejouer"))));
}

function message(one, now) {
  const [name] = REASONS[one.reason] ?? [one.reason];
  const source = one.device_eui ?? one.topic;
  const sample = make("details", { class: "sample", "data-id": one.refused_id },
    make("summary", {}, n("{count} octet", "{count} octets", one.payload_bytes)),
    make("p", { class: "item-note" }, one.topic),
    make("pre", { class: "payload", tabindex: 0, "aria-label": t("Début du message") }, one.payload));
  const repeated = one.deliveries > 1 ? ` · ${t("{count} fois", { count: number(one.deliveries) })}` : "";
  return item({
    level: "doubt", name: source, of: one.device_eui && !one.is_registered ? t("pas au registre") : "", value: since(one.last_received_at, now),
    note: `${name} · ${one.network}${repeated}`,
  }, make("p", { class: "item-note" }, make("span", { lang: "en" }, one.detail)), sample);
}

async function replay(button, selection) {
  button.disabled = true;
  try {
    await send("/intake/replays", { request_id: uuid(), ...selection });
    await replays();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    byId("replays-part").hidden = false;
    keepFocus(byId("replays"), [item({ level: "bad", name: t("Le rejeu n’a pas été demandé"), note: why(error) })], "");
  } finally {
    button.disabled = false;
  }
}

async function replays() {
  const { replays: all } = await get("/intake/replays");
  byId("replays-part").hidden = all.length === 0;
  keepFocus(byId("replays"), all.slice(0, 5).map(one), "");
  const pending = all.some((each) => !each.done_at);
  clearTimeout(waiting);
  if (pending) waiting = setTimeout(() => replays().catch(() => {}), MORE_WAIT_MS);
}

function one({ asked_by: by, asked_at: at, selection, result }) {
  const what = (selection.reasons ?? []).map((reason) => REASONS[reason]?.[0] ?? reason).join(", ") || t("tous les motifs");
  const note = `${by} · ${moment(at)} · ${selection.network ?? t("tous les réseaux")}`;
  if (!result) return item({ level: "none", name: what, value: t("en cours…"), note });
  const left = Object.values(result.refused).reduce((sum, count) => sum + count, 0);
  const value = n("{count} message pris sur {all}", "{count} messages pris sur {all}", result.resolved, { all: number(result.messages) });
  return item({ level: left ? "doubt" : "good", name: what, value, note: left ? `${note} · ${n("{count} encore refusé", "{count} encore refusés", left)}` : note });
}
