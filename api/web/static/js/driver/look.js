// Day and night: as the tablet has it, until the driver says otherwise.

const NAME = "voirie look";
const dark = matchMedia("(prefers-color-scheme: dark)");

function apply(chosen) {
  const look = chosen ?? (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = look;
  document.getElementById("look")?.setAttribute("aria-pressed", String(look === "dark"));
}

export function followLook() {
  apply(localStorage.getItem(NAME));
  dark.addEventListener("change", () => apply(localStorage.getItem(NAME)));
  document.getElementById("look")?.addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem(NAME, next);
    apply(next);
  });
}
