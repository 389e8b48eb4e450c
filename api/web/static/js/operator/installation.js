// Versions, processes, the disk, and how long what is kept.

import { byId, keepFocus } from "../dom.js";
import { n, t } from "../i18n.js";
import { bytes, fact, item, moment } from "./items.js";

const PROCESSES = {
  "voirie api": t("serveur web"), "voirie api live": t("serveur web, événements"), "voirie worker": t("travailleur"),
  "voirie collector": t("collecteur"), "voirie instance": t("numéro de collecteur"), "voirie migrate": t("migration"),
};
const KINDS = {
  fill_reading: t("mesures de remplissage"), occupancy_reading: t("mesures d’occupation"), occupancy_session: t("stationnements"),
  device_event: t("événements de capteurs"), refused_message: t("messages refusés"), intake_batch: t("registre de réception"),
  forecast_run: t("prévisions"), alert: t("alertes closes"), kerb_check_event: t("contrôles"), audit_note: t("journal d’audit"),
  statistics: t("statistiques"),
};

export function show({ versions, processes, tables, database_bytes: whole, retention }) {
  const libraries = Object.entries(versions.libraries).map(([name, version]) => `${name} ${version}`).join(", ");
  byId("versions").replaceChildren(
    fact("Voirie", versions.voirie, t("schéma {version}", { version: versions.schema_version })),
    fact("PostgreSQL", versions.postgresql, versions.timescaledb
      ? t("TimescaleDB {version}, licence {license}", { version: versions.timescaledb, license: versions.timescaledb_license ?? "?" })
      : t("sans TimescaleDB")),
    fact("Python", versions.python, libraries));
  keepFocus(byId("processes"), processes.map(({ name, connections, since }) => item({
    level: "good", name: PROCESSES[name] ?? name, of: PROCESSES[name] ? name : "", value: n("{count} connexion", "{count} connexions", connections),
    note: t("depuis {moment}", { moment: moment(since) }),
  })), t("Aucun processus n’est connecté."));
  byId("disk").replaceChildren(fact(t("Toute la base"), bytes(whole)), ...tables.map((each) => fact(each.table, bytes(each.bytes))));
  byId("retention").replaceChildren(...retention.map((kind) => fact(
    KINDS[kind.kind] ?? kind.kind, n("{count} jour", "{count} jours", kind.days),
    kind.forgotten_before ? t("rien d’avant {moment}", { moment: moment(kind.forgotten_before) }) : t("rien n’a encore été oublié"),
  )));
}
