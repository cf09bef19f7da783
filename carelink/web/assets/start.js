// Components of the NHS.UK frontend, and a word to screen readers when a part of the page was refreshed.
import { initAll } from "/static/nhsuk-frontend.min.js";

initAll();

// What stays at the top differs in height from person to person: what is jumped to must not end up beneath it.
const banners = document.querySelectorAll(".app-banner, .app-banner__who");
const measure = () => {
  const stuck = [...banners].find((part) => getComputedStyle(part).position === "sticky");
  if (stuck) document.documentElement.style.setProperty("--stuck", `${stuck.offsetHeight}px`);
};
const watch = new ResizeObserver(measure);
banners.forEach((part) => watch.observe(part));

document.body.addEventListener("htmx:afterSwap", (event) => {
  const said = document.querySelector("[data-says-count]");
  const status = document.getElementById("timeline-status");
  if (said && status) status.textContent = said.dataset.saysCount;
  event.target.querySelectorAll("details").forEach((part) => part.removeAttribute("open"));
});

document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));
