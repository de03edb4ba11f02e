"use strict";

// Makes the chooser of zones searchable by city, and offers the browser's own zone once. Without it the list is whole.
const chooser = document.querySelector("details.zone");

if (chooser) {
  const list = chooser.querySelector("select");
  const every = [...list.options].filter((option) => option.value);
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  const search = document.createElement("input");
  search.type = "search";
  search.id = "find-zone";
  search.className = "input";
  search.autocomplete = "off";
  search.setAttribute("aria-controls", list.id);
  const label = document.createElement("label");
  label.htmlFor = search.id;
  label.textContent = "Search by city";
  const field = document.createElement("div");
  field.className = "field";
  field.append(label, search);
  const whole = [...list.childNodes];
  const count = document.createElement("p");
  count.className = "hint";
  count.setAttribute("role", "status");
  field.append(count);
  list.parentElement.before(field);
  search.addEventListener("input", () => {
    const wanted = plain(search.value.trim());
    const found = every.filter((option) => plain(`${option.textContent} ${option.value.replaceAll("_", " ")}`).includes(wanted));
    count.textContent = !wanted ? "" : found.length === 1 ? "One city" : `${found.length || "No"} cities`;
    if (!wanted) {
      list.size = 0;
      list.replaceChildren(...whole);
      return;
    }
    list.replaceChildren(...found.map((option) => new Option(option.value.replaceAll("_", " "), option.value)));
    list.size = Math.min(Math.max(found.length, 2), 8);
    list.selectedIndex = found.length ? 0 : -1;
  });

  const renamed = JSON.parse(chooser.dataset.renamed);
  const said = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const own = renamed[said] ?? said;
  let offered = true;
  try {
    offered = localStorage.getItem("zone-offered") === "yes";
  } catch {
    // Storage is closed to us: nothing is offered, rather than on every page.
  }
  if (own?.includes("/") && !chooser.dataset.zone && !offered) {
    localStorage.setItem("zone-offered", "yes");
    const city = own.split("/").pop().replaceAll("_", " ");
    const target = new URLSearchParams({ zone: own, next: chooser.querySelector("[name=next]").value });
    const offer = document.createElement("p");
    offer.className = "zone-offer";
    offer.setAttribute("role", "status");
    const link = document.createElement("a");
    link.href = `/zone?${target}`;
    link.textContent = `Show times for ${city}?`;
    const no = document.createElement("button");
    no.type = "button";
    no.className = "link-button";
    no.textContent = "No, thank you";
    no.addEventListener("click", () => {
      offer.remove();
      chooser.querySelector("summary").focus();
    });
    const wrap = document.createElement("span");
    wrap.className = "wrap";
    wrap.append(link, no);
    offer.append(wrap);
    chooser.closest(".head").append(offer);
  }
}
