"use strict";

// Keeps the words about a film that is being made fresh; nothing of the page is renewed under somebody who types.
for (const box of document.querySelectorAll("[data-making]")) {
  const percent = box.querySelector("[data-percent]");
  const bar = box.querySelector("progress");
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.making, { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) {
        return; // signed out: the link on the page leads on
      }
      const found = await answer.json();
      if (found.making === "ready" || found.making === "failed" || (found.making === "making" && !bar)) {
        box.querySelector("[data-over]").hidden = false;
        if (found.making !== "making") {
          return;
        }
      } else if (bar) {
        percent.textContent = found.percent;
        bar.value = found.percent;
      }
    } catch {
      // the line is down for a moment
    }
    setTimeout(ask, 3000);
  };
  setTimeout(ask, 3000);
}
