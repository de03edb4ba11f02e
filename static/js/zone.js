"use strict";

// Offers the reader's own time zone where nobody has chosen one yet.
for (const field of document.querySelectorAll("select[data-renamed]")) {
  const said = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const own = JSON.parse(field.dataset.renamed)[said] ?? said;
  if (own && own.includes("/")) {
    if (![...field.options].some((option) => option.value === own)) {
      field.add(new Option(own.split("/").pop().replaceAll("_", " "), own), 0);
    }
    field.value = own;
  }
}
