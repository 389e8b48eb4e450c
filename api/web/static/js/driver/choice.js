// The choice of vehicle: leads back to a round that is under way, also without network.

import { byId, say } from "../dom.js";
import { t } from "../i18n.js";
import * as box from "./box.js";
import { followLook } from "./look.js";
import { keepPages } from "./pages.js";

followLook();
const round = await box.kept("round");
if (round?.route) {
  const link = byId("resume");
  link.href = `tournee/${encodeURIComponent(round.vehicle_id)}`;
  link.textContent = t("Reprendre la tournée de {vehicle}", { vehicle: round.route.vehicle_name });
  byId("under-way").hidden = false;
}
const notice = byId("notice");
addEventListener("offline", () => {
  notice.hidden = false;
  say("notice", t("Sans réseau : seule la tournée déjà ouverte sur cette tablette est utilisable."));
});
addEventListener("online", () => {
  notice.hidden = true;
});
say("kept", `${await keepPages()} ${t("Ajoutez cette page à l’écran d’accueil de la tablette.")}`);
