// Tabs as the ARIA practices describe them: arrows move, Home and End jump, only the chosen one is in the tab order.

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

export function start() {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const choose = (tab) => {
    for (const each of tabs) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
    }
  };
  if (tabs.length) choose(tabs[0]);
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      let next = null;
      if (event.key in STEPS) next = tabs[(index + STEPS[event.key] + tabs.length) % tabs.length];
      else if (event.key === "Home") next = tabs[0];
      else if (event.key === "End") next = tabs.at(-1);
      if (!next) return;
      event.preventDefault();
      choose(next);
      next.focus();
    });
  }
}
