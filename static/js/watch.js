"use strict";

// Reports which seconds were played, offers speed and captions, and stops when the days are over. The film plays
// without it.
const film = document.querySelector("video[data-watched]");

if (film) {
  const OFTEN = 30000;
  const PATIENCE = 5000; // between two tries to go on after an error
  const LEAP = 2; // seconds between two looks above which somebody has jumped
  const shown = document.querySelector("[data-percent]");
  const left = document.querySelector("[data-left]");
  const closed = document.querySelector("[data-closed]");
  const source = film.getAttribute("src");
  let ranges = [];
  let last = null;
  let kept = null;
  let isOver = false;
  let isAsking = false;
  let plays = false;
  let renewed = 0;
  let isNear = false;
  let closes = Date.parse(film.dataset.closes);
  let ahead = Date.parse(film.dataset.now) - Date.now(); // of the server's clock before this one

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

  const say = (title, words) => {
    const heading = document.createElement("h2");
    heading.textContent = title;
    const reason = document.createElement("p");
    reason.textContent = words;
    const rest = document.createElement("p");
    const way = document.createElement("a");
    way.href = closed.dataset.closed;
    way.textContent = "Open my place";
    rest.append("What you have watched is counted, and your notes stay. ", way);
    closed.replaceChildren(heading, reason, rest);
    closed.hidden = false;
    closed.focus();
  };

  const stop = (title, reason) => {
    film.pause();
    if (isOver) {
      return;
    }
    isOver = true;
    film.removeAttribute("src");
    film.load();
    film.hidden = true;
    say(title || "This recording has closed", reason);
  };

  const goOn = () => {
    isOver = false;
    closed.hidden = true;
    film.hidden = false;
    film.src = source.split("#")[0] + (kept ? `#t=${kept}` : "");
  };

  const send = async (isAsked) => {
    const at = Math.floor(film.currentTime);
    // Rounded to whole seconds, what follows in the film follows in the report.
    const whole = ranges.map(([from, to]) => [Math.round(from), Math.round(to)]).filter(([from, to]) => from < to);
    if (!isAsked && !whole.length && (at === kept || isOver || !film.currentTime)) {
      return;
    }
    const sent = ranges;
    ranges = [];
    const said = { ranges: whole.slice(-200), tab: film.dataset.tab };
    if (!isOver && film.readyState > 0) {
      said.at = at;
    }
    try {
      const answer = await fetch(film.dataset.watched, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Accept": "application/json", "X-CSRFToken": film.dataset.token },
        body: JSON.stringify(said),
        keepalive: true,
      });
      if (answer.status === 403 || answer.status === 404 || answer.status === 410) {
        const told = await answer.json().catch(() => ({}));
        stop(told.title, answer.status === 404 ? "This link no longer opens it." : told.message);
      } else if (answer.ok) {
        const told = await answer.json();
        kept = said.at ?? kept;
        ranges = told.over.concat(ranges); // more than this page can have played by the server's clock: told again
        ahead = Date.parse(told.now) - Date.now();
        closes = Date.parse(told.closes_at);
        if (shown) {
          shown.textContent = told.watched_percent;
          left.textContent = told.left ? `${told.left} left to watch` : "You have watched all of it";
        }
        if (isOver) {
          goOn();
        }
      } else {
        ranges = sent.concat(ranges);
      }
    } catch {
      ranges = sent.concat(ranges);
    }
  };

  const look = async () => {
    const rest = closes - Date.now() - ahead;
    if (!isOver && rest > 0 && rest < 3000 && !isNear) {
      isNear = true;
      send(); // what is reported after the end is not counted
    }
    if (isOver || isAsking || rest > 0) {
      return;
    }
    isNear = false;
    isAsking = true;
    await send(true); // the days may have been made more since the page was opened
    isAsking = false;
    if (Date.now() + ahead >= closes) {
      stop("", `It could be watched until ${document.querySelector("[data-until]").textContent}.`);
    }
  };

  // Browsers remember where they were sent, and such an address ends: the film's own address is asked again.
  const renew = async () => {
    const at = film.currentTime;
    if (!isOver) {
      await send(true);
    }
    if (!isOver && Date.now() - renewed > PATIENCE) {
      renewed = Date.now();
      film.defaultPlaybackRate = film.playbackRate;
      film.src = `${source.split("#")[0]}#t=${at}`;
      if (plays) {
        film.play().catch(() => {});
      }
    }
  };

  film.addEventListener("timeupdate", note);
  film.addEventListener("seeking", () => { last = null; });
  film.addEventListener("seeked", () => { last = film.currentTime; });
  film.addEventListener("pause", () => send());
  film.addEventListener("ended", () => send());
  film.addEventListener("play", () => { plays = true; });
  film.addEventListener("pause", () => { plays = plays && Boolean(film.error); });
  film.addEventListener("error", renew);
  addEventListener("pagehide", () => send());
  setInterval(send, OFTEN);
  setInterval(look, 500);

  const speed = document.querySelector("[data-speed]");
  const captions = document.querySelector("[data-captions]");
  document.querySelector("[data-tools]").hidden = false;
  speed.addEventListener("change", () => { film.playbackRate = Number(speed.value); });
  film.addEventListener("ratechange", () => { speed.value = String(film.playbackRate); });
  if (captions) {
    captions.addEventListener("change", () => {
      for (const track of film.textTracks) {
        track.mode = track.language === captions.value ? "showing" : "disabled";
      }
    });
    const agree = () => { // a browser shows them or not as its own settings say
      const on = [...film.textTracks].find((track) => track.mode === "showing");
      captions.value = on ? on.language : "";
    };
    film.textTracks.addEventListener("change", agree);
    film.addEventListener("loadedmetadata", agree);
  }
}
