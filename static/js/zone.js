"use strict";

// Offers the reader's own time zone where they have not chosen one themselves.
for (const field of document.querySelectorAll("[data-own-zone]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = field.list ? [...field.list.options] : [...(field.options ?? [])];
  if (own && known.some((option) => option.value === own)) {
    field.value = own;
  }
}
