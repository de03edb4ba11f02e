"use strict";

// Keeps the total beside the form fresh. Without it the form's own button shows the same.
const box = document.querySelector("[data-quote]");
const form = document.getElementById("booking-form");

if (box && form) {
  const table = box.querySelector("table");
  const refused = box.querySelector("[data-quote-refused]");
  const button = box.querySelector("button");
  const parts = box.querySelector("[data-quote-later]");
  let latest = 0;

  const money = (minor, currency) => {
    const format = new Intl.NumberFormat("en-GB", { style: "currency", currency });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  };

  const row = (line, currency) => {
    const made = document.createElement("tr");
    const name = document.createElement("th");
    const amount = document.createElement("td");
    name.scope = "row";
    name.textContent = line.text;
    amount.textContent = money(line.minor, currency);
    made.append(name, amount);
    return made;
  };

  const say = (sentence) => {
    const isSaidAbove = form.querySelector("#discount_code-error")?.textContent.includes(sentence);
    refused.textContent = sentence;
    refused.hidden = !sentence || isSaidAbove;
  };

  const show = (quote) => {
    const total = money(quote.total_minor, quote.currency);
    table.tBodies[0].replaceChildren(...quote.lines.map((line) => row(line, quote.currency)));
    table.tFoot.querySelector("td").textContent = total;
    table.hidden = false;
    const later = quote.later ?? []; // said where not all of it is paid by card at once
    const due = quote.due_now_minor ?? quote.total_minor;
    const isInParts = Boolean(parts) && quote.later !== undefined;
    if (parts) {
      const days = later.map((part) => ({ text: part.day, minor: part.minor }));
      const credit = quote.credit_minor ? [{ text: "From your credit", minor: quote.credit_minor }] : [];
      const all = [...credit, { text: "Now", minor: due }, ...days];
      parts.tBodies[0].replaceChildren(...all.map((part) => row(part, quote.currency)));
      parts.hidden = !isInParts;
    }
    const now = money(due, quote.currency);
    const isInvoiced = Boolean(form.querySelector("#by_invoice")?.checked) && quote.total_minor > 0;
    button.textContent = isInvoiced ? "Book on an invoice" : isInParts && due ? `Pay ${now} now` : isInParts ? "Book with my credit" : quote.total_minor ? `Pay ${total}` : "Book without paying";
    say(quote.code.refusal ? quote.code.message : "");
  };

  const ask = async () => {
    const asked = ++latest;
    const answer = await fetch(box.dataset.quote, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
    }).catch(() => null);
    if (asked !== latest || !answer) {
      return;
    }
    const said = await answer.json().catch(() => null);
    if (said && answer.ok) {
      show(said);
    } else {
      table.hidden = true;
      if (parts) {
        parts.hidden = true;
      }
      button.textContent = "Go on to pay";
      say(said?.message ?? "");
    }
  };

  form.addEventListener("change", ask);
  ask();
}
