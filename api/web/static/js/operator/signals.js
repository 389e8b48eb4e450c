// The first look: is it well? Each signal has a level, a word and a figure.

import { byId, make } from "../dom.js";
import { number, since } from "../format.js";
import { n, t } from "../i18n.js";
import { bytes, isAlive, isQuiet, LINE_LEVELS, lineState, sign } from "./items.js";

export function show(state) {
  const rows = [intake(state), devices(state), refused(state), worker(state), failures(state), disk(state)];
  byId("signals").replaceChildren(...rows.map(({ level, name, value, note }) =>
    make("li", { class: "signal", "data-level": level }, sign(level),
      make("span", { class: "signal-name" }, name), make("b", {}, value), make("small", {}, note))));
}

function intake({ collectors, broker_lines: lines, server_now: now }) {
  const name = t("Réception");
  const broken = lines.find((line) => LINE_LEVELS[lineState(line, now)] === "bad");
  if (broken) {
    const lost = lineState(broken, now) === "lost";
    return {
      level: "bad", name, value: lost ? t("courtier injoignable") : t("collecteur muet"),
      note: lost ? t("{broker}, {since}", { broker: broken.broker, since: since(broken.since, now) }) : t("{collector}, {since}", { collector: broken.collector, since: since(broken.told_at, now) }),
    };
  }
  const [last] = collectors;
  if (!last) return { level: "none", name, value: t("rien reçu"), note: t("aucun collecteur depuis 3 jours") };
  const quiet = isQuiet(last, now);
  const hour = collectors.reduce((sum, one) => sum + one.messages_last_hour, 0);
  return {
    level: quiet ? "bad" : "good", name, value: since(last.last_committed_at, now),
    note: n("{count} message en une heure", "{count} messages en une heure", hour),
  };
}

function devices({ devices: counts }) {
  const of = (name) => counts[name] ?? 0;
  const bad = of("silent") + of("never_heard");
  const doubt = of("faulty") + of("battery_low") + of("radio_weak");
  const all = bad + doubt + of("well");
  const name = t("Capteurs");
  if (!all) return { level: "none", name, value: t("aucun posé"), note: t("voirie devices import") };
  return {
    level: bad ? "bad" : doubt ? "doubt" : "good", name,
    value: t("{well} bons sur {all}", { well: number(of("well")), all: number(all) }),
    note: t("{silent} muets, {doubt} à voir", { silent: number(bad), doubt: number(doubt) }),
  };
}

function refused({ intake: hours }) {
  const count = hours.reduce((sum, hour) => sum + hour.refused, 0);
  return {
    level: count ? "doubt" : "good", name: t("Refusés"), value: number(count),
    note: t("messages en 24 heures"),
  };
}

function worker({ worker_seen_at: seen, server_now: now }) {
  const alive = isAlive(seen, now);
  return {
    level: alive ? "good" : "bad", name: t("Travailleur"), value: alive ? t("au travail") : t("absent"),
    note: seen ? t("vu {since}", { since: since(seen, now) }) : t("voirie worker"),
  };
}

function failures({ jobs }) {
  const failed = jobs.reduce((sum, job) => sum + job.failed, 0);
  const waiting = jobs.reduce((sum, job) => sum + job.waiting, 0);
  return {
    level: failed ? "bad" : "good", name: t("Tâches"),
    value: failed ? n("{count} échec", "{count} échecs", failed) : t("sans échec"),
    note: n("{count} en attente", "{count} en attente", waiting),
  };
}

function disk({ database_bytes: size }) {
  return { level: "good", name: t("Base de données"), value: bytes(size), note: t("sur le disque") };
}
