"use strict";

// The page is right as it was sent; this only keeps its minutes fresh. The clock is the server's: what was left when
// the page was made, less the time since.
for (const box of document.querySelectorAll("[data-countdown]")) {
  const left = Number(box.dataset.countdown) * 1000;
  const words = box.querySelector("[data-minutes]");
  const bar = box.querySelector("progress");
  const tell = () => {
    const minutes = Math.max(0, Math.ceil((left - performance.now()) / 60000));
    words.textContent = minutes === 1 ? "1 minute" : `${minutes} minutes`;
    bar.value = Math.min(minutes, bar.max);
    bar.textContent = `${minutes} of ${bar.max} minutes left`;
    if (minutes === 0) {
      clearInterval(timer);
    }
  };
  const timer = setInterval(tell, 5000);
}
