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

const CHANGE = { signDisplay: "exceptZero" };
const money = (options = {}) => new Intl.NumberFormat(LOCALE, { style: "currency", currency: "EUR", maximumFractionDigits: 0, ...options });
const [euro, euroCent, euroChange] = [money(), money({ maximumFractionDigits: 2 }), money(CHANGE)];
const decimals = (digits, more = {}) => new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits, ...more });
const [oneDigit, oneDigitChange, wholeChange] = [decimals(1), decimals(1, CHANGE), decimals(0, CHANGE)];
const shareChange = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 0, ...CHANGE });

/** A figure with one digit after the point, and the change of one, with its sign. */
export const tenths = (value) => oneDigit.format(value);
export const tenthsChange = (value) => oneDigitChange.format(value);
export const numberChange = (value) => wholeChange.format(value);
export const percentChange = (fraction) => shareChange.format(fraction);
export const euros = (value) => euro.format(value);
export const euroCents = (value) => euroCent.format(value);
export const eurosChange = (value) => euroChange.format(value);

/** The local day of a moment, "2026-03-11". */
export const dayOf = (moment) => formatOf("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(moment));

const formats = new Map();

/** A format of the commune's zone, made once: making one takes longer than a hundred uses of it. */
function formatOf(locale, options) {
  const key = `${zone} ${locale} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, { timeZone: zone, ...options }));
  return formats.get(key);
}

/** The day `count` days after one. */
export const dayAfter = (day, count = 1) =>
  new Date(Date.parse(`${day}T12:00:00Z`) + count * 86_400_000).toISOString().slice(0, 10);

export const clockTime = (moment) =>
  formatOf(LOCALE, { hour: "2-digit", minute: "2-digit" }).format(new Date(moment));

export const longDate = (moment) =>
  new Intl.DateTimeFormat(LOCALE, { timeZone: zone, ...DAY }).format(new Date(moment));

/** "mer. 11 mars", and with its time "mer. 11 mars, 05:30". */
export const shortDate = (moment) =>
  new Intl.DateTimeFormat(LOCALE, { timeZone: zone, weekday: "short", day: "numeric", month: "short" }).format(new Date(moment));
export const dateTime = (moment) => `${shortDate(moment)}, ${clockTime(moment)}`;

/** "mars 2026", from "2026-03". */
export const monthName = (month) =>
  new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", month: "long", year: "numeric" }).format(new Date(`${month}-15T12:00:00Z`));

export const weekdayLetter = (day) =>
  new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", weekday: "narrow" }).format(new Date(`${day}T12:00:00Z`));

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
