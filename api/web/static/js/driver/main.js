// The driver's tablet: puts the round, the taps, the map and the position together, with or without network.

import { byId, make, say } from "../dom.js";
import { clockTime } from "../format.js";
import { logInAddress, Problem } from "../http.js";
import { n, t } from "../i18n.js";
import { listen } from "../live.js";
import { why } from "../refused.js";
import * as box from "./box.js";
import * as calm from "./calm.js";
import { confirm } from "./confirm.js";
import { followLook } from "./look.js";
import * as map from "./map.js";
import { forgetPages, keepPages } from "./pages.js";
import * as places from "./position.js";
import * as present from "./present.js";
import * as queue from "./queue.js";
import * as screen from "./screen.js";
import * as state from "./state.js";
import { said } from "./words.js";

const { vehicle } = document.body.dataset;
const HOLD_MS = 10_000; // so long a tap with a possible reason waits for it
const RETRY_MS = 20_000;

let trouble = null; // the last Problem of a question for the round, null when it was answered
let online = false;
let retry = 0;

// --- the line ---

function drawLine() {
  const waiting = screen.unsent();
  const locked = [trouble?.status, queue.line().status].includes(401);
  const lost = !online || queue.line().state === "stopped";
  byId("line").dataset.state = lost ? "lost" : "live";
  byId("line").dataset.queue = queue.line().state;
  say("line-text", locked ? [t("Reconnectez-vous"), waiting].filter(Boolean).join(" · ")
    : [queue.line().status >= 500 ? t("Serveur en panne") : lost ? t("Sans réseau") : t("En ligne"), waiting].filter(Boolean).join(" · "));
  byId("log-in").hidden = !locked;
  say("unsent", waiting || t("Tous les gestes sont envoyés."));
  drawRefused();
}

const refusedFor = ({ problem }) => (problem ? why({ ...problem, message: problem.detail }) : "");

function drawRefused() {
  const rows = queue.refused().map((tap) => make("li", {},
    make("span", {}, tap.type === "withdrawal" ? t("Annulation refusée : {why}", { why: refusedFor(tap) }) : t("{place} : {tap}. Refusée : {why}", { place: tap.place_id, tap: said(tap), why: refusedFor(tap) })),
    make("button", { class: "big", type: "button", onclick: () => queue.tryAgain(tap) }, t("Réessayer")),
    make("button", { class: "big danger", type: "button", onclick: () => drop(tap) }, t("Supprimer"))));
  byId("refused").replaceChildren(...rows);
}

async function drop(tap) {
  await queue.takeBack(tap, present.now().toISOString());
  drawAll();
}

function drawAll() {
  screen.draw();
  drawLine();
}

// --- the plan ---

let renewing = null;

/** Ask for the round; one question at a time. What the tablet keeps goes on serving when nobody answers. */
function renew() {
  renewing ??= ask().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function ask() {
  clearTimeout(retry);
  try {
    await present.renew();
    await state.renew(vehicle);
    trouble = null;
    online = true;
    queue.send();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    trouble = error;
    online = error.status !== 0;
    retry = setTimeout(renew, RETRY_MS);
  }
  if (state.next() || state.current()) drawAll();
  else drawNothing();
}

/** There is no round, neither here nor on the server. */
function drawNothing() {
  byId("main").dataset.state = "empty";
  const words = {
    0: [t("Pas de réseau"), t("Cette tablette n’a pas encore la tournée. Ouvrez-la une fois avec du réseau ; elle reste ensuite utilisable sans.")],
    401: [t("Session terminée"), t("Reconnectez-vous : rien de ce qui a été saisi n’est perdu.")],
    403: [t("Accès refusé"), t("Votre compte n’a pas le rôle de conducteur dans cette commune. Demandez à votre administrateur.")],
    404: [t("Aucun plan aujourd’hui"), t("Le chef d’équipe n’a pas encore publié le plan du jour. Cette page se remplira dès qu’il l’est.")],
  }[trouble?.status] ?? [t("Le service ne répond pas"), t("La page réessaie toute seule.")];
  say("next-name", words[0]);
  say("next-street", words[1]);
  byId("guide").hidden = true;
  byId("for-bin").hidden = true;
  drawLine();
}

// --- taps ---

async function tapped(button) {
  const { kind, percent } = button.dataset;
  const made = await state.tap({ kind, found_fraction: percent === undefined ? null : Number(percent) / 100, hold_ms: kind === "emptied" ? 0 : HOLD_MS });
  if (made) navigator.vibrate?.(40);
  drawAll();
}

async function undo() {
  const last = state.lastTap();
  if (last) await state.takeBack(last);
  drawAll();
}

async function gaveReason(tap, comment) {
  await state.giveReason(tap, comment);
  drawAll();
}

async function chosen(stop) {
  if (stop.key === state.next()?.key) return;
  const last = state.tapsAt(stop).findLast((tap) => tap.turn !== undefined);
  if (last && state.look(stop)) {
    const name = stop.place_id;
    if (await confirm({ title: name, text: t("Annuler « {what} » et y retourner ?", { what: said(last) }), yes: t("Oui, annuler ce geste") })) await state.takeBack(last);
  } else if (await confirm({ title: stop.place_id ?? "", text: t("En faire le prochain arrêt ?"), yes: t("Y aller maintenant") })) {
    await state.headFor(stop.key);
    showList(false);
  }
  drawAll();
}

async function broken() {
  if (!(await confirm({ title: t("Véhicule en panne"), text: t("Le planificateur donnera vos corbeilles à d’autres véhicules."), yes: t("Oui, en panne") }))) return;
  await queue.add({ type: "vehicle", vehicle_id: vehicle, kind: "broken", happened_at: present.now().toISOString(), comment: null });
  byId("menu").close();
  drawAll();
}

// --- the end ---

async function endShift() {
  byId("menu").close();
  queue.send();
  const count = queue.waiting().length + queue.refused().length;
  const sure = count
    ? await confirm({ title: t("Des gestes ne sont pas envoyés"), text: n("{count} geste serait perdu. Attendez le réseau, ou effacez-le.", "{count} gestes seraient perdus. Attendez le réseau, ou effacez-les.", count), yes: t("Effacer et finir") })
    : await confirm({ title: t("Finir le service"), text: t("La tournée est effacée de cette tablette et la session se termine."), yes: t("Finir le service") });
  if (!sure) return;
  places.stop();
  await box.endShift();
  await forgetPages();
  byId("sign-out").submit();
}

// --- the page ---

function showList(shown) {
  byId("stops").hidden = !shown;
  byId("show-list").setAttribute("aria-pressed", String(shown));
  say("show-list-text", shown ? t("Carte") : t("Liste"));
  screen.draw();
  if (shown) byId("stops").querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
}

function wire() {
  for (const button of document.querySelectorAll("#for-bin [data-kind]")) calm.onPress(button, () => tapped(button));
  calm.onPress(byId("other-done"), async () => {
    await state.pass();
    drawAll();
  });
  calm.onPress(byId("undo"), undo);
  byId("change-seen").addEventListener("click", async () => {
    await state.changeSeen();
    drawAll();
  });
  byId("show-list").addEventListener("click", () => showList(byId("stops").hidden));
  byId("recentre").addEventListener("click", () => map.recentre(places.position(), state.next()));
  byId("menu-open").addEventListener("click", () => byId("menu").showModal());
  byId("menu-close").addEventListener("click", () => byId("menu").close());
  byId("send-now").addEventListener("click", () => renew().then(queue.send));
  byId("broken").addEventListener("click", broken);
  byId("end-shift").addEventListener("click", endShift);
  byId("end-round").addEventListener("click", endShift);
  byId("log-in").href = logInAddress();
  addEventListener("online", renew);
  addEventListener("offline", () => {
    online = false;
    drawLine();
  });
}

function moved() {
  screen.drawGuide();
  map.follow(places.position(), state.next());
}

async function begin() {
  followLook();
  wire();
  await present.recall();
  await queue.recall();
  await state.forgetOld(present.now());
  await queue.recall();
  screen.start({ reason: gaveReason, head: chosen });
  queue.whenChanged(drawAll);
  map.start({
    streets: state.streets,
    onLoose: (loose) => {
      byId("recentre").hidden = !loose;
    },
  });
  if (await state.recall(vehicle)) drawAll();
  await renew();
  places.start({
    onMove: moved,
    saying: () => ({ vehicle_id: vehicle, next_place_id: state.next()?.kind === "bin" ? state.next().place_id : null, now: present.now() }),
  });
  keepPages().then((words) => say("kept", words));
  navigator.storage?.persist?.();
  setInterval(() => say("clock-time", clockTime(present.now())), 1000);
  listen({
    onEvent: (kind) => (["hello", "resync", "plan", "service_events"].includes(kind) ? renew() : null),
    onLine: (state_) => {
      online = state_ !== "lost";
      if (online) queue.send();
      drawLine();
    },
    onRefused: renew,
  });
}

begin();
