// What came in: a day by the hour, the networks that bring it and the collectors that took it.

import { byId, keepFocus, say, svg } from "../dom.js";
import { duration, number, since, tenths } from "../format.js";
import { n, t } from "../i18n.js";
import { isQuiet, item, LINE_LEVELS, lineState, moment } from "./items.js";

const WIDTH = 720;
const HEIGHT = 120;

export function show({ intake, networks, collectors, broker_lines: lines, server_now: serverNow, now }) {
  chart(intake);
  keepFocus(byId("brokers"), lines.map((one) => line(one, serverNow)),
    t("Aucun collecteur n’a encore dit s’il joint son courtier : démarrez voirie collect."));
  keepFocus(byId("networks"), networks.map((one) => network(one, now)),
    t("Aucun réseau n’a encore rien apporté. Vérifiez l’adresse du courtier (mqtt.url) et les sujets ([[networks]])."));
  keepFocus(byId("collectors"), collectors.map((one) => collector(one, serverNow)),
    t("Aucun collecteur n’a rien pris depuis trois jours : démarrez voirie collect."));
}

/** A collector's line to its broker: connected since when, how much comes by it, and whether it keeps up. */
function line(one, now) {
  const state = lineState(one, now);
  const values = { since: since(one.since, now), told: since(one.told_at, now) };
  const waiting = one.waiting
    ? n("{count} message attend la base, depuis {age}", "{count} messages attendent la base, le plus ancien depuis {age}", one.waiting, { age: duration(one.lag_s) })
    : t("rien n’attend");
  return item({
    level: LINE_LEVELS[state], name: one.broker, of: one.collector,
    value: { connected: t("connecté {since}", values), deaf: t("connecté, abonnements non confirmés"), lost: t("injoignable {since}", values), gone: t("sans nouvelles") }[state],
    note: state === "gone" ? t("Le collecteur ne dit plus rien ; il parlait encore {told}.", values)
      : [t("{count} messages par minute", { count: one.messages_per_min < 10 ? tenths(one.messages_per_min) : number(one.messages_per_min) }), waiting].join(" · "),
  });
}

function network({ network: name, devices, heard_at: heard, heard_in_a_day: heardToday, silent }, now) {
  return item({
    level: silent ? "bad" : heardToday ? "good" : "doubt", name: name ?? t("réseau non noté"),
    value: silent ? t("réseau muet") : heard ? t("entendu {since}", { since: since(heard, now) }) : t("jamais entendu"),
    note: n("{count} capteur, {today} entendus en 24 heures", "{count} capteurs, {today} entendus en 24 heures", devices, { today: number(heardToday) }),
  });
}

function collector(one, now) {
  const { collector: name, last_committed_at: last, messages_last_hour: messages } = one;
  return item({
    level: isQuiet(one, now) ? "doubt" : "good", name, value: t("dernier lot {since}", { since: since(last, now) }),
    note: n("{count} message en une heure", "{count} messages en une heure", messages),
  });
}

function chart(hours) {
  const most = Math.max(1, ...hours.map((hour) => hour.stored + hour.refused));
  const step = WIDTH / hours.length;
  const tall = (count) => (count / most) * HEIGHT;
  const bars = hours.flatMap((hour, index) => {
    const x = index * step + 2;
    const width = step - 4;
    const stored = tall(hour.stored);
    const refused = tall(hour.refused);
    return [
      svg("rect", { x, y: HEIGHT - stored, width, height: stored, fill: "var(--accent)" }),
      refused && svg("rect", { x, y: HEIGHT - stored - refused, width, height: Math.max(2, refused), fill: "var(--alert)" }),
      index % 6 === 0 && svg("text", { x, y: HEIGHT + 14 }, moment(hour.hour)),
    ].filter(Boolean);
  });
  const sum = (name) => number(hours.reduce((total, hour) => total + hour[name], 0));
  byId("hours-chart").replaceChildren(svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 18}`, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT, stroke: "var(--line)" }), ...bars));
  say("hours-caption", t("{stored} mesures prises, {duplicates} reçues en double, {refused} messages refusés (en rouge, au-dessus).", {
    stored: sum("stored"), duplicates: sum("duplicates"), refused: sum("refused"),
  }));
}
