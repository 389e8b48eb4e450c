// A glove presses twice: the second press would fall on the next stop, which has the same buttons.

const CALM_MS = 350;

let busy = false;

/** Call `work()` at a press, but not at the second one of two that belong together. The page says so meanwhile. */
export function onPress(button, work) {
  button.addEventListener("click", async (event) => {
    if (event.detail > 1 || busy) return;
    busy = true;
    document.body.dataset.busy = "true";
    try {
      await work();
    } finally {
      setTimeout(() => {
        busy = false;
        delete document.body.dataset.busy;
      }, CALM_MS);
    }
  });
}
