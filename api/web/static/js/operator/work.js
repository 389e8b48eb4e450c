// The worker's jobs: under way, waiting, failed, the last that went well, the next.

import { byId, keepFocus, say } from "../dom.js";
import { since } from "../format.js";
import { n, t } from "../i18n.js";
import { isAlive, item, moment, worked } from "./items.js";

const NAMES = {
  train: t("Apprendre le remplissage"),
  forecast: t("Prévoir le remplissage"),
  plan: t("Planifier les tournées"),
  edit_plan: t("Modifier un plan"),
  repair: t("Réparer les tournées en cours"),
  warm: t("Charger les rues en mémoire"),
  tick: t("Chercher ce qui est dû"),
  review: t("Vérifier les mesures"),
  sessions: t("Former les stationnements"),
  train_bays: t("Apprendre l’occupation"),
  bays: t("Prévoir les places libres"),
  score: t("Noter les prévisions d’hier"),
  observe: t("Tenir l’observatoire"),
  forget: t("Oublier ce qui est trop vieux"),
  forget_jobs: t("Oublier les tâches finies"),
  replay: t("Rejouer les messages de capteurs corrigés"),
  replay_asked: t("Rejouer des messages choisis"),
};

export function show({ jobs, worker_seen_at: seen, server_now: now }) {
  const alive = isAlive(seen, now);
  say("worker", alive
    ? t("Un travailleur est là, vu {since}.", { since: since(seen, now) })
    : t("Aucun travailleur ne donne signe de vie : démarrez voirie worker. Rien n’est prévu ni planifié sans lui."));
  const order = (job) => (job.failed ? 0 : job.under_way ? 1 : job.waiting ? 2 : 3);
  const rows = [...jobs].sort((one, other) => order(one) - order(other) || one.name.localeCompare(other.name));
  keepFocus(byId("jobs"), rows.map((job) => row(job, now)), t("Aucune tâche n’a encore couru."));
}

function row(job, now) {
  const state = job.under_way
    ? t("en cours depuis {moment}", { moment: moment(job.under_way_since) })
    : job.waiting
      ? n("{count} en attente", "{count} en attente", job.waiting)
      : job.next_at && new Date(job.next_at) > new Date(now)
        ? t("prochaine à {moment}", { moment: moment(job.next_at) })
        : t("au besoin");
  const notes = [
    job.succeeded_at && t("réussie {since} en {seconds}", { since: since(job.succeeded_at, now), seconds: worked(job.succeeded_s ?? 0) }),
    job.failed && n("{count} échec, le dernier {since} : journal du travailleur, job_id {id}", "{count} échecs, le dernier {since} : journal du travailleur, job_id {id}", job.failed, {
      since: since(job.failed_at, now), id: job.failed_job_id,
    }),
  ].filter(Boolean);
  const newer = job.succeeded_at && (!job.failed_at || job.succeeded_at > job.failed_at);
  const level = job.failed ? (newer ? "doubt" : "bad") : job.succeeded_at ? "good" : "none";
  return item({ level, name: NAMES[job.name] ?? job.name, of: job.name, value: state, note: notes.join(" · ") });
}
