// What came in: a day by the hour, the networks that bring it and the collectors that took it.

import { byId, keepFocus, say, svg } from "../dom.js";
import { number, since } from "../format.js";
import { n, t } from "../i18n.js";
import { isQuiet, item, moment } from "./items.js";

const WIDTH = 720;
const HEIGHT = 120;

export function show({ intake, networks, collectors, server_now: serverNow, now }) {
  chart(intake);
  keepFocus(byId("networks"), networks.map((one) => network(one, now)),
    t("Aucun réseau n’a encore rien apporté. Vérifiez l’adresse du courtier (mqtt.url) et les sujets ([[networks]])."));
  keepFocus(byId("collectors"), collectors.map((one) => collector(one, serverNow)),
    t("Aucun collecteur n’a rien pris depuis trois jours : démarrez voirie collect."));
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
      svg("rect", { x, y: HEIGHT - stored, width, height: stored, fill: "#0b6b7d" }),
      refused && svg("rect", { x, y: HEIGHT - stored - refused, width, height: Math.max(2, refused), fill: "#b3341f" }),
      index % 6 === 0 && svg("text", { x, y: HEIGHT + 14 }, moment(hour.hour)),
    ].filter(Boolean);
  });
  const sum = (name) => number(hours.reduce((total, hour) => total + hour[name], 0));
  byId("hours-chart").replaceChildren(svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 18}`, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT, stroke: "#dce3e5" }), ...bars));
  say("hours-caption", t("{stored} mesures prises, {duplicates} reçues en double, {refused} messages refusés (en rouge, au-dessus).", {
    stored: sum("stored"), duplicates: sum("duplicates"), refused: sum("refused"),
  }));
}
