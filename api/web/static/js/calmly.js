// Readings come several times a second; nobody reads faster than this.

const CALM_MS = 1_500;

/**
 * Return a function that takes lists of names and calls `work(names)` a moment later with all that were told
 * meanwhile, each once; what is told while `work` is under way has its turn after it.
 */
export function calmly(work) {
  const waiting = new Set();
  let timer = 0;
  const later = (names) => {
    for (const name of names) waiting.add(name);
    if (timer || !waiting.size) return;
    timer = setTimeout(async () => {
      const now = [...waiting];
      waiting.clear();
      try {
        await work(now);
      } finally {
        timer = 0;
        later([]);
      }
    }, CALM_MS);
  };
  return later;
}
