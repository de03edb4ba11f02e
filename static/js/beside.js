"use strict";

// What stands beside the film: places jump it, the transcript follows it and is searched, notes are kept without
// leaving it. All of it are links and forms that work without this.
const beside = document.querySelector("video[data-watched]");

if (beside) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-at]");
    if (!link || beside.hidden || event.ctrlKey || event.metaKey || event.shiftKey) {
      return;
    }
    event.preventDefault();
    beside.currentTime = Number(link.dataset.at);
    beside.play().catch(() => {});
    beside.scrollIntoView({ block: "nearest" });
  });

  const transcript = document.querySelector("[data-transcript]");
  if (transcript) {
    const list = transcript.querySelector("ol");
    const lines = [...list.querySelectorAll("a[data-at]")];
    let current = null;

    beside.addEventListener("timeupdate", () => {
      const found = lines.findLast((line) => Number(line.dataset.at) <= beside.currentTime) ?? null;
      if (found === current) {
        return;
      }
      current?.removeAttribute("aria-current");
      found?.setAttribute("aria-current", "true");
      current = found;
      // Whoever reads elsewhere in the list is left there.
      if (found && !list.matches(":hover") && !list.contains(document.activeElement)) {
        list.scrollTop = found.offsetTop - list.offsetTop - list.clientHeight / 3;
      }
    });

    const field = transcript.querySelector("input[type=search]");
    const told = transcript.querySelector("[data-found]");
    if (!field.value) { // what the address looked for is found already, and only the form finds more
      const texts = lines.map((line) => line.lastElementChild.textContent);
      const mark = (into, text, words) => {
        into.replaceChildren();
        const folded = text.toLowerCase();
        let from = 0;
        for (let at = folded.indexOf(words); words && at >= 0; at = folded.indexOf(words, from)) {
          const marked = document.createElement("mark");
          marked.textContent = text.slice(at, at + words.length);
          into.append(text.slice(from, at), marked);
          from = at + words.length;
        }
        into.append(text.slice(from));
      };
      const search = () => {
        const words = field.value.trim().toLowerCase();
        let number = 0;
        lines.forEach((line, index) => {
          const is = texts[index].toLowerCase().includes(words);
          number += is;
          line.parentElement.hidden = !is;
          mark(line.lastElementChild, texts[index], is ? words : "");
        });
        told.textContent = words ? `${number || "No"} ${number === 1 ? "line" : "lines"} with “${field.value.trim()}”.` : "";
      };
      field.addEventListener("input", search);
      field.form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
    }
  }

  const place = () => {
    const at = Math.floor(beside.currentTime);
    const two = (number) => String(number).padStart(2, "0");
    return `${Math.floor(at / 3600)}:${two(Math.floor(at / 60) % 60)}:${two(at % 60)}`;
  };
  const written = () => document.querySelector("[data-new-note]");

  // A note belongs to where the film is when it is begun.
  document.addEventListener("input", (event) => {
    const form = written();
    if (event.target.name === "text" && event.target.form === form && !form.dataset.begun && beside.currentTime) {
      form.dataset.begun = "yes";
      form.elements.at.value = place();
    }
  });

  document.addEventListener("submit", async (event) => {
    const notes = event.target.closest("[data-notes]");
    if (!notes) {
      return;
    }
    event.preventDefault();
    const form = event.target;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const anew = page.querySelector("[data-notes]");
      if (!anew) {
        throw new Error("no notes in the answer");
      }
      notes.replaceWith(anew);
      const at = written().elements.at;
      at.value = at.getAttribute("aria-invalid") ? at.value : place();
      (anew.querySelector("[aria-invalid]") ?? anew.querySelector("textarea[id=text]")).focus();
    } catch {
      form.submit(); // the page itself then says what is wrong
    }
  });
}
