"use strict";
// Tables sort by a click on their heading; the index page filters, orders and switches its view.
for (const table of document.querySelectorAll("table.dataframe, table.sortable")) {
  const body = table.tBodies[0];
  if (!body || !table.tHead || body.rows.length < 2 || table.tHead.rows.length > 1) continue;
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    cell.tabIndex = 0;
    cell.setAttribute("role", "button");
    const key = (row) => row.cells[column]?.dataset.value ?? row.cells[column]?.textContent.trim() ?? "";
    const sort = () => {
      const down = cell.getAttribute("aria-sort") !== "descending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const number = (text) => parseFloat(text.replace(/,/g, ""));
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)], [p, q] = [number(x), number(y)];
        return Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q;
      });
      body.append(...(down ? rows.reverse() : rows));
    };
    cell.addEventListener("click", sort);
    cell.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
}
const bar = document.getElementById("bar");
if (bar) {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const cards = document.getElementById("cards"), table = document.getElementById("table");
  const by = {
    started: (a, b) => facts[b].started.localeCompare(facts[a].started),
    notebook: (a, b) => facts[a].notebook.localeCompare(facts[b].notebook) || by.started(a, b),
    metric: (a, b) => (facts[b].metric ?? -Infinity) - (facts[a].metric ?? -Infinity),
    seconds: (a, b) => facts[b].seconds - facts[a].seconds,
  };
  const show = () => {
    const wanted = Object.fromEntries(new FormData(bar));
    const fits = (run) => Object.entries(facts[run].facets).every(([name, value]) => !wanted[name] || wanted[name] === value);
    const order = facts.map((_, run) => run).sort(by[wanted.order]);
    let shown = 0;
    for (const holder of [cards, table.querySelector("tbody")]) {
      const rows = new Map([...holder.children].map((row) => [Number(row.dataset.run), row]));
      for (const run of order) { rows.get(run).hidden = !fits(run); holder.append(rows.get(run)); }
    }
    shown = order.filter(fits).length;
    document.getElementById("count").textContent = `${shown} run${shown === 1 ? "" : "s"}`;
  };
  bar.addEventListener("change", show);
  bar.addEventListener("click", (event) => {
    const view = event.target.dataset.view;
    if (!view) return;
    cards.hidden = view !== "cards";
    table.hidden = view !== "table";
    for (const button of bar.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", button === event.target);
  });
  bar.hidden = false;
}
