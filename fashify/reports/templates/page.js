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
// A link to examples opens them, and closes the others; an address that ends in one does too.
const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || target.tagName !== "DETAILS") return;
  target.open = true;
  target.querySelector("summary").focus({ preventScroll: true });
  target.scrollIntoView({ block: "start" });
};
addEventListener("hashchange", open);
for (const part of document.querySelectorAll(".examples details")) part.addEventListener("toggle", () => {
  if (part.open) for (const other of part.parentNode.querySelectorAll("details[open]")) other.open = other === part;
});
for (const link of document.querySelectorAll("a.row")) link.addEventListener("click", () => { if (location.hash === link.hash) open(); });
open();
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
// Two runs chosen: their headline numbers at once, the page of both where there is one, or how to make it.
const pairs = document.getElementById("pairs");
if (pairs) {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const pages = JSON.parse(document.getElementById("pages").textContent);
  const make = (name, text, ...children) => {
    const node = document.createElement(name);
    if (text) node.textContent = text;
    node.append(...children);
    return node;
  };
  const number = (value) => (typeof value !== "number" ? String(value ?? "–") : Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(3));
  pairs.addEventListener("submit", (event) => {
    event.preventDefault();
    const [a, b] = ["A", "B"].map((side) => facts[pairs.elements[side].selectedOptions[0].dataset.run]);
    const [first, second] = [a, b].map((run) => run.name.split("/").pop());
    const page = pages.find((one) => one.first === first && one.second === second);
    const other = Object.fromEntries(b.metrics);
    const rows = a.metrics.filter(([name]) => name in other).map(([name, x]) => {
      const y = other[name], numbers = typeof x === "number" && typeof y === "number";
      const change = numbers ? (y > x ? "+" : "") + number(y - x) : x === y ? "same" : "";
      return make("tr", "", make("td", name), make("td", number(x)), make("td", number(y)), make("td", change));
    });
    const head = make("tr", "", ...["", "A", "B", "B minus A"].map((text) => make("th", text)));
    const table = make("table", "", make("thead", "", head), make("tbody", "", ...rows));
    table.className = "sortable";
    const link = make("a", "Open the page: paired differences, queries gained and lost");
    if (page) link.href = page.page;
    const how = page ? link : make("p", "Paired differences with their intervals, and the queries gained and lost: ", make("code", `fashify report --compare ${a.name} ${b.name}`));
    document.getElementById("pair").replaceChildren(table, how);
  });
}
