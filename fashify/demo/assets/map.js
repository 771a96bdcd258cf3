// The map of the catalogue: a canvas, drawn again whenever the data or the window changes.
// Okabe and Ito's colours, told apart by nearly everyone, on light and dark alike.
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6fd1", "#b03a2e", "#6b8e23"];
const OTHERS = "#9a929e";
const MARGIN = 14;
const FARTHEST = 1, NEAREST = 12;
const sheet = new Image();
sheet.addEventListener("load", draw);
let data = null, source = "", current = -1;
// How near one looks, and where the middle lies, in pixels from the canvas' own.
let zoom = FARTHEST, pan = [0, 0], held = null;

const send = (event) => trigger("act", event);
const canvas = () => element.querySelector(".fx-map canvas");
const level = () => data.levels[element.querySelector(".fx-colourby select").value];
const colour = (code) => (code < 0 ? OTHERS : PALETTE[code]);

function place(n) {
  const { clientWidth, clientHeight } = canvas();
  const [across, down] = [(data.x[n] - 0.5) * (clientWidth - 2 * MARGIN), (data.y[n] - 0.5) * (clientHeight - 2 * MARGIN)];
  return [clientWidth / 2 + across * zoom + pan[0], clientHeight / 2 + down * zoom + pan[1]];
}

// The place (x, y) stays where it is while all around it comes nearer.
function magnify(factor, x = canvas().clientWidth / 2, y = canvas().clientHeight / 2) {
  const before = zoom;
  zoom = Math.min(NEAREST, Math.max(FARTHEST, zoom * factor));
  const [left, top] = [x - canvas().clientWidth / 2, y - canvas().clientHeight / 2];
  moveTo(left - (left - pan[0]) * (zoom / before), top - (top - pan[1]) * (zoom / before));
}
function moveTo(across, down) {
  const most = (length) => (length / 2) * (zoom - 1);
  const { clientWidth, clientHeight } = canvas();
  const within = (value, length) => Math.max(-most(length), Math.min(most(length), value));
  pan = [within(across, clientWidth), within(down, clientHeight)];
  canvas().style.touchAction = zoom > FARTHEST ? "none" : "pan-y";
  point(current);
}

function draw() {
  const board = canvas();
  if (!data || !board || !board.clientWidth) return;
  const scale = devicePixelRatio || 1;
  [board.width, board.height] = [board.clientWidth * scale, board.clientHeight * scale];
  const pen = board.getContext("2d");
  pen.scale(scale, scale);
  const { codes } = level();
  const radius = data.x.length > 1000 ? 3.2 : 4.6;
  const dot = (n) => {
    pen.fillStyle = colour(codes[n]);
    pen.beginPath();
    pen.arc(...place(n), codes[n] < 0 ? 0.7 * radius : radius, 0, 2 * Math.PI);
    pen.fill();
  };
  pen.globalAlpha = 0.82;
  if (data.sheet) tiles(pen, radius);
  // The others lie below, smaller, so that what has a name stands out.
  codes.forEach((code, n) => { if (code < 0 && !data.sheet) dot(n); });
  codes.forEach((code, n) => { if (code >= 0) dot(n); });
  if (current >= 0) {
    const [x, y] = place(current);
    pen.globalAlpha = 1;
    pen.lineWidth = 3;
    pen.strokeStyle = getComputedStyle(board).color;
    pen.beginPath();
    pen.arc(x, y, radius + 4, 0, 2 * Math.PI);
    pen.stroke();
  }
  legend();
}

// Without labels a dot says nothing: products are drawn as pictures, cut from one sheet.
function tiles(pen, radius) {
  const { side, columns, every } = data.sheet;
  if (!sheet.complete || !sheet.naturalWidth) return;
  const size = Math.min(side, (data.x.length > 150 ? 26 : 38) * Math.sqrt(zoom));
  pen.globalAlpha = 1;
  pen.fillStyle = OTHERS;
  for (let n = 0; n < data.x.length; n += 1) {
    const [x, y] = place(n);
    if (n % every) {
      pen.beginPath();
      pen.arc(x, y, 0.7 * radius, 0, 2 * Math.PI);
      pen.fill();
      continue;
    }
    const tile = n / every;
    const [left, top] = [(tile % columns) * side, Math.floor(tile / columns) * side];
    // The white around one product leaves its neighbours to be seen.
    pen.globalCompositeOperation = "multiply";
    pen.drawImage(sheet, left, top, side, side, x - size / 2, y - size / 2, size, size);
    pen.globalCompositeOperation = "source-over";
  }
}

function legend() {
  const list = element.querySelector(".fx-legend");
  const { names, codes } = level();
  const shown = names.map((name, code) => [name, PALETTE[code]]);
  if (codes.includes(-1)) shown.push(["others", OTHERS]);
  list.replaceChildren(...shown.map(([name, ink]) => {
    const entry = document.createElement("li");
    const dot = document.createElement("i");
    dot.style.background = ink;
    entry.append(dot, name);
    return entry;
  }));
}

function nearest(x, y, reach) {
  let best = -1, least = reach * reach;
  for (let n = 0; n < data.x.length; n += 1) {
    const [px, py] = place(n);
    const away = (px - x) ** 2 + (py - y) ** 2;
    if (away < least) [best, least] = [n, away];
  }
  return best;
}

function point(n) {
  current = n;
  const tip = element.querySelector(".fx-tip");
  tip.hidden = n < 0;
  if (n >= 0) {
    const [x, y] = place(n);
    tip.textContent = data.name[n] || data.id[n];
    tip.style.left = `${Math.min(x, canvas().clientWidth - 120)}px`;
    tip.style.top = `${y}px`;
    tip.classList.toggle("above", y > canvas().clientHeight - 70);
  }
  canvas().style.cursor = n < 0 ? "default" : "pointer";
  draw();
}

function refresh() {
  const board = element.querySelector(".fx-map");
  if (!board) return;
  if (board.dataset.map && board.dataset.map !== source) {
    source = board.dataset.map;
    data = JSON.parse(source);
    if (data.sheet) sheet.src = data.sheet.url;
    new ResizeObserver(draw).observe(board);
  }
  draw();
}

element.addEventListener("pointerdown", (event) => {
  if (data && event.target === canvas()) held = { x: event.clientX, y: event.clientY, pan, moved: false };
});
addEventListener("pointerup", () => { if (!held?.moved) held = null; });
element.addEventListener("wheel", (event) => {
  // With Ctrl or by pinching; without, the wheel belongs to the page.
  if (!data || event.target !== canvas() || !event.ctrlKey) return;
  event.preventDefault();
  magnify(Math.exp(-event.deltaY / 200), event.offsetX, event.offsetY);
}, { passive: false });
element.addEventListener("pointermove", (event) => {
  if (!data || event.target !== canvas()) return;
  if (held && event.buttons && zoom > FARTHEST) {
    const [across, down] = [event.clientX - held.x, event.clientY - held.y];
    held.moved = held.moved || Math.hypot(across, down) > 4;
    if (held.moved) return moveTo(held.pan[0] + across, held.pan[1] + down);
  }
  const n = nearest(event.offsetX, event.offsetY, 16);
  if (n !== current) point(n);
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) return send({ ...button.dataset });
  const step = event.target.closest("[data-zoom]");
  if (step && data) return magnify(Number(step.dataset.zoom));
  // What ends a drag is no click on a product.
  if (held?.moved) { held = null; return; }
  if (data && event.target === canvas()) {
    point(nearest(event.offsetX, event.offsetY, 24));
    if (current >= 0) send({ do: "look", item: data.id[current] });
  }
});
element.addEventListener("keydown", (event) => {
  const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  if (!data || event.target !== canvas()) return;
  if (event.key === "Enter" && current >= 0) send({ do: "look", item: data.id[current] });
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  const [x, y] = current < 0 ? [canvas().clientWidth / 2, canvas().clientHeight / 2] : place(current);
  let best = -1, least = Infinity;
  for (let n = 0; n < data.x.length; n += 1) {
    const [px, py] = place(n);
    const along = (px - x) * step[0] + (py - y) * step[1];
    const aside = Math.abs((px - x) * step[1]) + Math.abs((py - y) * step[0]);
    if (n !== current && along > 0 && along + 2 * aside < least) [best, least] = [n, along + 2 * aside];
  }
  if (best >= 0) point(best);
});
element.addEventListener("change", (event) => { if (event.target.matches(".fx-colourby select")) draw(); });
watch("value", refresh);
refresh();
