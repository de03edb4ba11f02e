"use strict";

// Puts the moment that the film stands at into a field; without it times are typed.
const film = document.querySelector("[data-whole]");
const clock = (seconds) => {
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(Math.floor(seconds) % 60)}`;
};
const put = (field, time) => {
  if (field.tagName === "INPUT") {
    field.value = time;
    return;
  }
  const last = field.value.split("\n").pop();
  const isOpen = field.name === "cuts" && /^[\d:]+ -\s*$/.test(last);
  const before = field.value.replace(/\n+$/, "");
  field.value = isOpen ? `${before.trimEnd()} ${time}\n` : `${before}${before && "\n"}${time}${field.name === "cuts" ? " - " : " "}`;
  field.focus();
};
for (const name of film ? ["trim_from", "trim_to", "cuts", "marks"] : []) {
  const field = document.querySelector(`[name="${name}"]`);
  if (field) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--line button--small";
    button.textContent = "Take this moment";
    button.setAttribute("aria-label", `Take this moment of the film: ${document.querySelector(`label[for="${field.id}"]`).textContent}`);
    button.addEventListener("click", () => put(field, clock(film.currentTime)));
    field.after(button);
  }
}
