// What must not be written down of a vehicle: the same forms as storage/identifying.py, which refuses them for good. Here
// they are seen while somebody types, so that a plate does not even leave the phone.

const GAP = "[\\s.\\-_/·]{0,3}";
const PLATES = new RegExp("(?<![A-Z0-9])(?:" + [
  `[A-Z]{2}${GAP}\\d{3}${GAP}[A-Z]{2}`, // France since 2009, Italy
  `\\d{1,4}${GAP}[A-Z]{2,3}${GAP}(?:\\d{2}|2[AB]|97\\d)`, // France before
  `[A-Z]{2}${GAP}\\d{2}${GAP}[A-Z]{3}`, // United Kingdom
  "\\d{4}[\\s.\\-]{0,3}[BCDFGHJKLMNPRSTVWXYZ]{3}", // Spain
  "[A-Z]{2}[\\s.\\-]{0,3}\\d{4}(?:[\\s.\\-]{0,3}[A-Z]{2})?", // Luxembourg; Ukraine
  "\\d[\\s.\\-]{0,3}[A-Z]{3}[\\s.\\-]{0,3}\\d{3}", // Belgium
  "[A-ZÄÖÜ]{1,3}\\s?[\\-:·]\\s?[A-Z]{1,2}\\s?\\d{1,4}[EH]?", // Germany
  "[A-Z]{2}\\s?\\d{4,6}", // Switzerland
  // The Netherlands, Portugal: three groups of letters or digits.
  "(?=[\\dA-Z\\-]*\\d)(?=[\\dA-Z\\-]*[A-Z])(?:\\d{1,3}|[A-Z]{1,3})(?:-(?:\\d{1,3}|[A-Z]{1,3})){2}",
  "[A-HJ-NPR-Z0-9]{11}\\d{6}", // a vehicle's identification number
].join("|") + ")(?![A-Z0-9])", "u");

/** Whether something in `text` looks like a registration plate (or a vehicle's identification number). */
export const looksLikePlate = (text) => PLATES.test(text.normalize("NFKC").toUpperCase());
