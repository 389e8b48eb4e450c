// The page itself for dead spots: a service worker keeps it, its modules and its styles.

import { root } from "../root.js";
import { t } from "../i18n.js";

const scope = new URL(`${document.body.dataset.commune}/tournee`, root);

/** Have this page and the choice of vehicles kept. Returns what became of it, in words. */
export async function keepPages() {
  if (!navigator.serviceWorker) return t("Cette adresse n’est pas protégée (https) : la page ne peut pas être gardée pour les zones sans réseau. Les gestes le sont.");
  try {
    await navigator.serviceWorker.register(new URL(document.body.dataset.worker, location), { scope: scope.pathname });
    const { active } = await navigator.serviceWorker.ready;
    await asked(active, { keep: [location.href, scope.href] });
  } catch {
    return t("La page n’a pas encore pu être gardée pour les zones sans réseau.");
  }
  return t("Prête pour les zones sans réseau.");
}

function asked(worker, message) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data }) => (data.done ? resolve() : reject(new Error("not kept")));
    worker.postMessage(message, [port2]);
  });
}

/** Forget the pages and who keeps them. */
export async function forgetPages() {
  localStorage.removeItem("voirie look");
  const registration = await navigator.serviceWorker?.getRegistration(scope.href);
  if (!registration) return;
  for (const name of await caches.keys()) if (name.startsWith(`voirie ${document.body.dataset.commune} ${scope.pathname} `)) await caches.delete(name);
  await registration.unregister();
}
