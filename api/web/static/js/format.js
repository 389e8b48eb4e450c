// Numbers, times and durations in French, in the commune's time zone.

let zone = "Europe/Paris";
const whole = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("fr-FR", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** From now on times are shown in this IANA zone. */
export function useZone(name) {
  zone = name;
}

export const number = (value) => whole.format(value);
export const kilometres = (metres) => `${metres < 100_000 ? tenth.format(metres / 1000) : whole.format(metres / 1000)} km`;
export const percent = (fraction) => `${whole.format(100 * fraction)} %`;

/** "1 corbeille", "2 corbeilles". */
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count < 2 ? one : many}`;

export const clockTime = (moment) =>
  new Intl.DateTimeFormat("fr-FR", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(new Date(moment));

export const longDate = (moment) =>
  new Intl.DateTimeFormat("fr-FR", { timeZone: zone, weekday: "long", day: "numeric", month: "long" }).format(new Date(moment));

/** A day without a time ("2026-03-11") is the same day everywhere. */
export const dayName = (day) =>
  new Intl.DateTimeFormat("fr-FR", { timeZone: "UTC", weekday: "long", day: "numeric", month: "long" }).format(new Date(`${day}T12:00:00Z`));

/** "8 min", "2 h 05", "3 j". */
export function duration(seconds) {
  const minutes = Math.max(0, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(hours / 24)} j`;
}

/** How long before `now` a moment was. */
export function since(moment, now) {
  const seconds = (new Date(now) - new Date(moment)) / 1000;
  return seconds < 60 ? "à l’instant" : `il y a ${duration(seconds)}`;
}
