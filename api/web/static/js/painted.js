// Work that can wait until what was just put on the page is seen.

const HIDDEN_MS = 250; // a page that nobody sees has no frames

/** Resolve when the browser has painted what stands in the document now. */
export const painted = () =>
  new Promise((resolve) => {
    const late = setTimeout(resolve, HIDDEN_MS);
    requestAnimationFrame(() => setTimeout(() => {
      clearTimeout(late);
      resolve();
    }));
  });
