// Puts the operator's page together: what is asked for, when again, and who shows it.

import * as clock from "../clock.js";
import { get } from "../http.js";
import { showLine } from "../line.js";
import { listen } from "../live.js";
import { load, retry } from "../store.js";
import * as tabs from "../tabs.js";
import * as devices from "./devices.js";
import * as installation from "./installation.js";
import * as intake from "./intake.js";
import * as plans from "./plans.js";
import * as refusals from "./refusals.js";
import * as signals from "./signals.js";
import { trying } from "./trouble.js";
import * as work from "./work.js";

const CALM_MS = 5_000; // readings come several times a second; nobody who looks after a server reads faster
const EVERY_MS = 30_000; // jobs and the disk send no events

let timer = 0;
let loading = false;

async function refresh() {
  if (loading) return void later(); // what just happened may not be in the answer that is on its way
  loading = true;
  try {
    await trying(async () => {
      const state = await get("/operation");
      for (const part of [signals, work, intake, plans, installation]) part.show(state);
      await Promise.all([devices.show(state), refusals.refresh()]);
    });
  } finally {
    loading = false;
  }
}

function later() {
  if (timer) return;
  timer = setTimeout(() => {
    timer = 0;
    refresh();
  }, CALM_MS);
}

function onEvent(kind) {
  if (["hello", "resync", "intake"].includes(kind)) refresh();
  else later();
}

function onLine(line) {
  showLine(line);
  retry(line);
}

tabs.start();
clock.start();
devices.start();
refusals.start();
load("commune");
refresh();
listen({ onEvent, onLine, onRefused: refresh });
setInterval(() => document.hidden || refresh(), EVERY_MS);
