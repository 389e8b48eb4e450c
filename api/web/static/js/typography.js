// How French is set: which of its spaces no line may break at. The same rule as api/typography.py; a test compares both.

const NO_BREAK = "\u00a0";
const NARROW = "\u202f";
// Figures, or what stands for them until it is filled in, and their units. No look-behind: the tablet's browser may be old.
const UNIT = /([\d}]|\)[sd]) (?=(?:min|h|j|s|km|m|kg|t|l|L|%|€|ko|Mo|Go|dBm|V)(?![\wÀ-ÿ]))/g;
const MINUTES = /([\d}s]\u00a0h) (?=[\d{])/g;
const set = new Map();

/** Return a French text with its no-break spaces: before ; ! ? : », after «, between figures and their units. */
export function typeset(french) {
  if (!set.has(french)) {
    set.set(french, french
      .replace(/ (?=[;!?](?![\wÀ-ÿ=]))/g, NARROW)
      .replace(/ (?=[:»](?![\wÀ-ÿ]))/g, NO_BREAK)
      .replace(/(«|n°) /g, `$1${NO_BREAK}`)
      .replace(UNIT, `$1${NO_BREAK}`)
      .replace(MINUTES, `$1${NO_BREAK}`));
  }
  return set.get(french);
}
