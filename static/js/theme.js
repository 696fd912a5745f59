// The theme button: as the system, light, dark. The server keeps the choice in a cookie and draws the next page in it.

import { BASE } from "./base.js";
import { T } from "./texts.js";

const NEXT = { system: "light", light: "dark", dark: "system" };
const root = document.documentElement;

export const theme = () => root.dataset.theme ?? "system";

function label() {
  const now = theme();
  for (const button of document.querySelectorAll("[data-action=theme]")) {
    button.dataset.state = now;
    button.title = T.themeTip(T.theme[now], T.theme[NEXT[now]]);
    button.setAttribute("aria-label", button.title);
    button.hidden = false;
  }
}

/** Show a theme and ask the server to remember it. */
export async function setTheme(choice) {
  if (choice === "system") delete root.dataset.theme;
  else root.dataset.theme = choice;
  label();
  dispatchEvent(new CustomEvent("themechange", { detail: choice }));
  try {
    await fetch(`${BASE}/api/theme`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ theme: choice }),
    });
  } catch {
    // The page keeps it until the next load; a theme is no reason for a message.
  }
}

export const nextTheme = () => setTheme(NEXT[theme()]);

label();
addEventListener("click", (event) => {
  if (event.target.closest?.("[data-action=theme]")) nextTheme();
});
