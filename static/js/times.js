"use strict";

// Keeps the lines of times fresh while a date or a time is typed. Without it "Check the times" shows the same.
const form = document.getElementById("times");

if (form) {
  let latest = 0;

  const ask = async () => {
    const asked = ++latest;
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) }).catch(() => null);
    if (asked !== latest || !answer?.ok) {
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const line of form.querySelectorAll(".session-says")) {
      const fresh = page.getElementById(line.id);
      if (fresh && fresh.textContent !== line.textContent) {
        line.textContent = fresh.textContent;
      }
    }
  };

  form.addEventListener("change", ask);
}
