"use strict";

// Notes which seconds were played, so that the page can say how much is left. The film plays without it.
const film = document.querySelector("video[data-watched]");

if (film) {
  const OFTEN = 30000;
  const LEAP = 2; // seconds between two reports above which somebody has jumped
  const shown = document.querySelector("[data-percent]");
  let ranges = [];
  let last = null;

  const note = () => {
    const at = film.currentTime;
    if (last !== null && at > last && at - last < LEAP * film.playbackRate) {
      const latest = ranges[ranges.length - 1];
      if (latest && Math.abs(latest[1] - last) < 0.01) {
        latest[1] = at;
      } else {
        ranges.push([last, at]);
      }
    }
    last = at;
  };

  const send = async () => {
    const whole = ranges.map(([from, to]) => [Math.floor(from), Math.ceil(to)]);
    if (!whole.length) {
      return;
    }
    const sent = ranges;
    ranges = [];
    try {
      const answer = await fetch(film.dataset.watched, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Accept": "application/json", "X-CSRFToken": film.dataset.token },
        body: JSON.stringify({ ranges: whole.slice(-200) }),
        keepalive: true,
      });
      if (answer.ok && shown) {
        shown.textContent = (await answer.json()).watched_percent;
      }
    } catch {
      ranges = sent.concat(ranges);
    }
  };

  film.addEventListener("timeupdate", note);
  film.addEventListener("seeking", () => { last = null; });
  film.addEventListener("seeked", () => { last = film.currentTime; });
  film.addEventListener("pause", send);
  film.addEventListener("ended", send);
  addEventListener("pagehide", send);
  setInterval(send, OFTEN);
}
