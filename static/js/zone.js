"use strict";

// Offers the reader's own time zone where nobody has chosen one yet.
for (const field of document.querySelectorAll("select[data-own-zone]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own && own.includes("/")) {
    if (![...field.options].some((option) => option.value === own)) {
      field.add(new Option(own.split("/").pop().replaceAll("_", " "), own), 0);
    }
    field.value = own;
  }
}
