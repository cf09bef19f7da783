// Components of the NHS.UK frontend, and a word to screen readers when a part of the page was refreshed.
import { initAll } from "/static/nhsuk-frontend.min.js";

initAll();

document.body.addEventListener("htmx:afterSwap", (event) => {
  const said = document.querySelector("[data-says-count]");
  const status = document.getElementById("timeline-status");
  if (said && status) status.textContent = said.dataset.saysCount;
  event.target.querySelectorAll("details").forEach((part) => part.removeAttribute("open"));
});
