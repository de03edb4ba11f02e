"use strict";

// Sends a film in pieces (tus 1.0.0): what has come stays when the line drops, and the same file chosen again goes on
// from there. Without it the form sends the film at once.
const FIRST = 64 * 1024; // enough for the desk to see whether it is a film
const PIECE = 8 * 1024 * 1024;
const SILENCE = 30000;
const LONGEST_PAUSE = 30000;
const CONFLICTS = 3;

class Stopped extends Error {} // trying again by ourselves cannot help

const size = (bytes) => {
  const [unit, name] = bytes >= 1e9 ? [1024 ** 3, "GB"] : bytes >= 1e6 ? [1024 ** 2, "MB"] : [1024, "kB"];
  return `${(bytes / unit).toFixed(bytes < unit * 10 ? 1 : 0)} ${name}`;
};

const left = (seconds) => {
  if (seconds < 60) {
    return "less than a minute left";
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min left` : `about ${Math.round(minutes / 60)} h left`;
};

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

class Upload {
  constructor(form, file) {
    this.form = form;
    this.file = file;
    this.box = form.querySelector("[data-progress]");
    this.url = null;
    this.request = null;
    this.isPaused = false;
    this.wake = () => {};
    this.samples = [];
    this.told = 0;
  }

  say(text) {
    this.box.hidden = false;
    this.box.querySelector("[data-status]").textContent = text;
  }

  show(has) {
    const now = Date.now();
    this.samples = this.samples.filter(([at]) => now - at < 10000).concat([[now, has]]);
    const [began, had] = this.samples[0];
    const speed = now > began ? ((has - had) * 1000) / (now - began) : 0;
    const percent = Math.floor((has * 100) / this.file.size);
    const words = [`${percent} %: ${size(has)} of ${size(this.file.size)}`];
    if (speed > 0) {
      words.push(`${size(speed)} a second`, left((this.file.size - has) / speed));
    }
    this.box.querySelector("progress").value = percent;
    this.box.querySelector("[data-figures]").textContent = words.join(", ");
    if (percent >= this.told + 25 && percent < 100) {
      this.told = percent - (percent % 25);
      this.say(`${this.told} per cent has arrived.`);
    }
  }

  // One request. Throws when there is no answer, or none for a while.
  ask(method, url, headers = {}, body = null, progress = null) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let watch = setTimeout(() => request.abort(), SILENCE);
      const stir = () => {
        clearTimeout(watch);
        watch = setTimeout(() => request.abort(), SILENCE);
      };
      request.open(method, url);
      for (const [name, value] of Object.entries({ "Tus-Resumable": "1.0.0", "Accept": "application/json", ...headers })) {
        request.setRequestHeader(name, value);
      }
      request.upload.onprogress = (event) => {
        stir();
        if (progress && !this.isPaused) {
          progress(event.loaded);
        }
      };
      request.onloadend = () => {
        clearTimeout(watch);
        this.request = null;
        if (!request.status) {
          reject(new Error("no answer"));
        } else if (new URL(request.responseURL).pathname !== new URL(url, location.href).pathname) {
          reject(new Stopped("You have been signed out. What has come is safe: sign in again in another window, then go on here."));
        } else {
          resolve(request);
        }
      };
      this.request = request;
      request.send(body);
    });
  }

  refused(request) {
    let message = "";
    try {
      message = JSON.parse(request.responseText).message;
    } catch {
      message = "";
    }
    const isLasting = request.status >= 400 && request.status < 500 && request.status !== 429;
    if (isLasting || request.status === 507) {
      return new Stopped(message || "This upload is no longer here. Please choose the film again.");
    }
    return new Error(`answered ${request.status}`);
  }

  async begin() {
    const listed = await this.ask("GET", this.form.dataset.uploads);
    if (listed.status !== 200) {
      throw this.refused(listed);
    }
    const position = this.form.elements.position ? this.form.elements.position.value : "1";
    const known = JSON.parse(listed.responseText).uploads.find((each) => (
      each.filename === this.file.name && each.length === this.file.size && String(each.position) === position
    ));
    if (known) {
      return known.url;
    }
    const made = await this.ask("POST", this.form.dataset.uploads, {
      "Upload-Length": String(this.file.size),
      "Upload-Metadata": `filename ${base64(this.file.name)},position ${base64(position)}`,
    });
    if (made.status !== 201) {
      throw this.refused(made);
    }
    return made.getResponseHeader("Location");
  }

  async offset() {
    const answer = await this.ask("HEAD", this.url);
    if (answer.status !== 200) {
      throw this.refused(answer);
    }
    return Number(answer.getResponseHeader("Upload-Offset"));
  }

  // Sends the next piece and says where the file stands; null for "ask again".
  async piece(at) {
    const end = Math.min(at === 0 ? FIRST : at + PIECE, this.file.size);
    const headers = { "Upload-Offset": String(at), "Content-Type": "application/offset+octet-stream" };
    const answer = await this.ask("PATCH", this.url, headers, this.file.slice(at, end), (sent) => this.show(at + sent));
    if (answer.status === 204) {
      this.conflicts = 0;
      return Number(answer.getResponseHeader("Upload-Offset"));
    }
    this.conflicts = answer.status === 409 ? (this.conflicts || 0) + 1 : 0;
    if (answer.status === 409 && this.conflicts < CONFLICTS) {
      return null;
    }
    throw this.refused(answer);
  }

  async send() {
    let at = null;
    let failures = 0;
    this.say(`Uploading ${this.file.name}.`);
    for (;;) {
      try {
        await this.resumed();
        this.url = this.url || await this.begin();
        if (at === null) {
          at = await this.offset();
          this.samples = [];
          if (failures) {
            this.say("The line is back, and the upload goes on.");
          }
        }
        this.show(at);
        const isWhole = at === this.file.size;
        at = await this.piece(at); // the last one may be empty: it asks the desk to take the film in
        if (isWhole || at === this.file.size) {
          return;
        }
        failures = 0;
      } catch (problem) {
        at = null;
        if (problem instanceof Stopped) {
          throw problem;
        }
        if (!this.isPaused) {
          this.say("The line is down. What has come is safe, and the upload goes on by itself when the line is back.");
          await this.sleep(Math.min(1000 * 2 ** failures, LONGEST_PAUSE));
          failures += 1;
        }
      }
    }
  }

  sleep(milliseconds) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }

  async resumed() {
    while (this.isPaused) {
      await new Promise((resolve) => { this.wake = resolve; });
    }
  }

  pause(isPaused) {
    this.isPaused = isPaused;
    if (isPaused) {
      this.say("Paused. What has come is safe for a week.");
      if (this.request) {
        this.request.abort();
      }
    } else {
      this.say("The upload goes on.");
      this.wake();
    }
  }
}

for (const form of document.querySelectorAll("form[data-uploads]")) {
  const input = form.querySelector("input[type=file]");
  const start = form.querySelector("button:not([type=button])");
  const pause = form.querySelector("[data-pause]");
  let running = null;
  let awaited = null;

  const begin = async (file) => {
    running = new Upload(form, file);
    running.box.hidden = false;
    start.disabled = input.disabled = true;
    pause.hidden = false;
    pause.textContent = "Pause";
    try {
      await running.send();
      running.say("All of it has arrived.");
      location.assign(form.dataset.done);
    } catch (problem) {
      running.say(problem.message);
      pause.hidden = true;
      start.disabled = input.disabled = false;
    }
    running = null;
  };

  form.addEventListener("submit", (event) => {
    const file = input.files[0];
    event.preventDefault();
    if (!file || running) {
      return;
    }
    const told = new Upload(form, file);
    if (awaited && (file.name !== awaited.dataset.filename || String(file.size) !== awaited.dataset.length)) {
      told.say(`This is another file than ${awaited.dataset.filename}. Choose that one to go on with it, or press “Upload the film” to send this one anew.`);
      awaited = null;
    } else if (file.size > Number(form.dataset.most)) {
      told.say(`A film may have ${size(Number(form.dataset.most))} and this one has ${size(file.size)}. Export it with a smaller picture, 720p is plenty.`);
    } else {
      awaited = null;
      begin(file);
    }
  });

  pause.addEventListener("click", () => {
    running.pause(!running.isPaused);
    pause.textContent = running.isPaused ? "Go on" : "Pause";
  });

  addEventListener("online", () => {
    if (running && !running.isPaused) {
      running.wake();
    }
  });

  for (const button of document.querySelectorAll(`[data-go-on="${input.id}"]`)) {
    button.hidden = false;
    button.addEventListener("click", () => {
      awaited = button;
      input.click();
    });
  }
  input.addEventListener("change", () => {
    if (awaited && input.files.length) {
      form.requestSubmit();
    }
  });
}
