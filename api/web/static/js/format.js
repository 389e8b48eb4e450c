// Numbers, times and durations in the page's language, in the commune's time zone.

import { language, t } from "./i18n.js";

const LOCALE = { fr: "fr-FR", en: "en-GB" }[language] ?? language;
const DAY = { weekday: "long", day: "numeric", month: "long" };

let zone = "Europe/Paris";
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const share = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 0 });
const unit = (name, digits = 0) =>
  new Intl.NumberFormat(LOCALE, { style: "unit", unit: name, minimumFractionDigits: digits, maximumFractionDigits: digits });
const [metre, kilometre, tenth, litre] = [unit("meter"), unit("kilometer"), unit("kilometer", 1), unit("liter")];

/** From now on times are shown in this IANA zone. */
export function useZone(name) {
  zone = name;
}

export const number = (value) => whole.format(value);
export const percent = (fraction) => share.format(fraction);
export const metres = (value) => metre.format(value);
export const litres = (value) => litre.format(value);
export const kilometres = (value) => (value < 100_000 ? tenth : kilometre).format(value / 1000);
export const lower = (text) => text.toLocaleLowerCase(LOCALE);

export const clockTime = (moment) =>
  new Intl.DateTimeFormat(LOCALE, { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(new Date(moment));

export const longDate = (moment) =>
  new Intl.DateTimeFormat(LOCALE, { timeZone: zone, ...DAY }).format(new Date(moment));

/** A day without a time ("2026-03-11") is the same day everywhere. */
export const dayName = (day) =>
  new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", ...DAY }).format(new Date(`${day}T12:00:00Z`));

/** "8 min", "2 h 05", "3 j". */
export function duration(seconds) {
  const minutes = Math.max(0, Math.round(seconds / 60));
  if (minutes < 60) return t("{minutes} min", { minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return t("{hours} h {minutes}", { hours, minutes: String(minutes % 60).padStart(2, "0") });
  return t("{days} j", { days: Math.floor(hours / 24) });
}

/** How long before `now` a moment was. */
export function since(moment, now) {
  const seconds = (new Date(now) - new Date(moment)) / 1000;
  return seconds < 60 ? t("à l’instant") : t("il y a {duration}", { duration: duration(seconds) });
}
