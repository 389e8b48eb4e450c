// Colours of the map, read from the style sheet so that legend and map cannot differ, and their order.

const styles = getComputedStyle(document.documentElement);
const FILLS = [0, 1, 2, 3, 4].map((index) => styles.getPropertyValue(`--fill-${index}`).trim());
const BOUNDS = [0.25, 0.5, 0.75, 0.9];

/** The colour class of a fill fraction, 0 to 4. */
export const fillClass = (fraction) => BOUNDS.filter((bound) => fraction >= bound).length;

export const fillColour = (fraction) => FILLS[fillClass(fraction)];

const ROUNDS = 6;
const probe = document.createElement("i");
probe.hidden = true;
document.body.append(probe);
const ROUND_COLOURS = Array.from({ length: ROUNDS }, (_, index) => {
  probe.className = `round-${index}`;
  return getComputedStyle(probe).getPropertyValue("--round").trim();
});
probe.remove();

export const roundClass = (index) => `round-${index % ROUNDS}`;
export const roundColour = (index) => ROUND_COLOURS[index % ROUNDS];
