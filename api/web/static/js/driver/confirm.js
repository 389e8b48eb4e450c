// One question, two answers, in a dialog that the keyboard and a glove reach.

import { byId, say } from "../dom.js";

/** Ask; resolves to whether the answer was yes. */
export function confirm({ title, text, yes }) {
  const dialog = byId("ask");
  say("ask-title", title);
  say("ask-text", text);
  say("ask-yes", yes);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    byId("ask-yes").onclick = () => dialog.close("yes");
    byId("ask-no").onclick = () => dialog.close("");
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}
