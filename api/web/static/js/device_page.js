// The page between: proves that the session is on this device, and goes on to where somebody wanted to go.

import { prove } from "./device.js";
import { root } from "./root.js";

const AGAIN_MS = 3_000;
const { after } = document.body.dataset;

async function go() {
  const said = await prove();
  if (said === "proved") location.replace(new URL(after, root));
  else if (said === "lost") show("lost");
  else {
    show("away");
    setTimeout(go, AGAIN_MS);
  }
}

function show(id) {
  for (const each of ["proving", "away", "lost"]) document.getElementById(each).hidden = each !== id;
}

go();
