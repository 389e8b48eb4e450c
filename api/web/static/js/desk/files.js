// Files in and out: the plan's rounds, and what a town tells the planner by a file.

import { make } from "../dom.js";
import { Problem, send } from "../http.js";
import { colon, n, t } from "../i18n.js";
import { shown, whenTried } from "./trying.js";
import { whenDay } from "./day.js";
import { files } from "./vehicle.js";

const LISTED = 8;
let onImported = () => {};

/** Call `reader()` after a file was taken in. */
export function whenImported(reader) {
  onImported = reader;
}

/** What is told by a file: where it goes, of which type it is, and what its answer says. */
const KINDS = {
  former: {
    path: "/former-rounds.csv", type: "text/csv",
    found: (answer) => n("{count} ancienne tournée", "{count} anciennes tournées", answer.rounds),
  },
  rules: {
    path: "/round-rules", type: "application/json",
    found: (answer) => t("{bins}, {vehicles}, {sites}", {
      bins: n("{count} corbeille", "{count} corbeilles", answer.bins),
      vehicles: n("{count} véhicule", "{count} véhicules", answer.vehicles),
      sites: n("{count} exutoire", "{count} exutoires", answer.disposal_sites),
    }),
  },
  places: {
    path: "/places", type: "application/octet-stream", query: (form) => ({ format: form.elements.format.value }),
    found: (answer) => n("{count} lieu", "{count} lieux", (answer.imported ?? 0) + (answer.updated ?? 0) + (answer.unchanged ?? 0)),
  },
};

export function start() {
  const out = document.getElementById("plan-files");
  if (out) {
    const show = () => out.replaceChildren(shown() ? files(shown().plan_id) : make("p", { class: "note" }, t("Ce jour n’a pas de plan à emporter.")));
    whenDay(show);
    whenTried(show);
  }
  startImports();
}

/** Make every import form of the page work: the file is looked through first, and taken in when it is good. */
export function startImports() {
  for (const form of document.querySelectorAll("form[data-import]")) {
    form.addEventListener("submit", (event) => { event.preventDefault(); look(form); });
    // The same file, chosen again after it was mended, is looked through again, too.
    form.elements.file.addEventListener("click", () => { form.elements.file.value = ""; });
    form.elements.file.addEventListener("change", () => form.elements.file.files.length && look(form));
  }
}

async function look(form) {
  const kind = KINDS[form.dataset.import];
  const [file] = form.elements.file.files;
  const say = (...parts) => form.querySelector("output").replaceChildren(...parts);
  if (!file) return say(make("p", { class: "alert" }, t("Choisissez d’abord un fichier.")));
  say(make("p", {}, t("Lecture de {name}…", { name: file.name })));
  const text = await file.text().catch(() => null);
  if (text === null) return say(make("p", { class: "alert" }, t("Ce fichier a changé ou n’est plus là. Choisissez-le de nouveau.")));
  const attempt = async (dryRun) => {
    const query = { ...(kind.query?.(form) ?? {}), dry_run: dryRun };
    const body = kind.type === "application/json" ? JSON.parse(text) : text;
    return send(kind.path, body, { query, type: kind.type });
  };
  try {
    const answer = await attempt(true);
    const take = make("button", { type: "button", class: "button primary" }, t("Importer"));
    take.addEventListener("click", async () => {
      take.disabled = true;
      try {
        const taken = await attempt(false);
        say(make("p", { class: "good" }, t("Importé : {what}.", { what: kind.found(taken) })));
        onImported();
      } catch (error) {
        say(...faults(error));
      }
    });
    return say(make("p", {}, t("Le fichier est bon : {what}.", { what: kind.found(answer) })), make("p", { class: "buttons" }, take));
  } catch (error) {
    return say(...faults(error));
  }
}

function faults(error) {
  if (error instanceof SyntaxError) return [make("p", { class: "alert", role: "alert" }, t("Ce fichier n’est pas du JSON. Rien n’a été importé."))];
  if (!(error instanceof Problem)) throw error;
  if (error.status === 0) return [make("p", { class: "alert", role: "alert" }, t("Le service ne répond pas. Rien n’a été importé ; essayez de nouveau."))];
  const listed = error.errors.slice(0, LISTED).map(({ location, detail }) => {
    const line = location[location.indexOf("line") + 1];
    return make("li", {}, location.includes("line") ? t("ligne {line} : ", { line }) : `${location.slice(1).join(" › ")}${colon}`, make("span", { lang: "en" }, detail));
  });
  return [make("div", { class: "alert", role: "alert" },
    make("p", {}, t("Rien n’a été importé : le fichier a des fautes.")),
    listed.length ? make("ul", { class: "plain" }, ...listed) : make("p", { lang: "en" }, error.message),
    error.errors.length > LISTED ? make("p", {}, n("Et {count} autre.", "Et {count} autres.", error.errors.length - LISTED)) : null)].filter(Boolean);
}
