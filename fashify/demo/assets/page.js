// Runs once for every HTML part of the page, with `element`, `trigger`, `upload` from Gradio.
// A click on anything with data-do becomes one event for Python: its data-* attributes.
const MAX_BYTES = 25000000;
const send = (event) => {
  held = nameOf(document.activeElement);
  trigger("act", event);
};
// An answer puts other products into the same buttons: the focus goes with the product it was on.
let held = null;
const nameOf = (control) => element.contains(control) ? control.tagName + JSON.stringify({ ...control.dataset }) : null;
document.addEventListener("focusin", () => { held = null; });
function refocus() {
  if (!held || nameOf(document.activeElement) === held) return;
  const controls = [...element.querySelectorAll("button, input")];
  controls.find((control) => nameOf(control) === held)?.focus({ preventScroll: true });
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) send({ ...button.dataset });
  if (event.target.closest("[data-theme-toggle]")) toggleTheme();
  if (event.target.closest("[data-camera]")) openCamera();
});

element.addEventListener("change", (event) => {
  const { live, ...more } = event.target.dataset;
  if (live) send({ ...more, do: live, value: event.target.value });
});
element.addEventListener("input", (event) => {
  const output = event.target.dataset.live && event.target.parentElement.querySelector("output");
  if (output) output.textContent = event.target.value;
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.target.matches(".fx-address")) send({ do: "fetch", url: event.target.elements.url.value });
});
// One menu at a time; a click elsewhere or Escape closes it.
const closeMenus = (but) => element.querySelectorAll(".fx-menu[open]").forEach((menu) => {
  if (menu !== but) menu.removeAttribute("open");
});
document.addEventListener("click", (event) => closeMenus(event.target.closest(".fx-menu")));
element.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });
// An opened menu is seen whole; the event does not bubble.
element.addEventListener("toggle", ({ target }) => {
  if (target.matches(".fx-menu[open]")) target.lastElementChild.scrollIntoView({ block: "nearest" });
}, true);

// The address follows the search, so that it can be shared; on a phone the page follows too.
let searched = "";
watch("value", () => {
  refocus();
  const shown = element.querySelector("[data-address]");
  if (!shown) return;
  history.replaceState(null, "", shown.dataset.address);
  const aim = element.querySelector(".fx-whypanel") ?? (shown.dataset.query === searched ? null : shown);
  searched = shown.dataset.query;
  const top = aim?.getBoundingClientRect().top;
  if (top > innerHeight * 0.7 || (top < 0 && aim.matches(".fx-whypanel"))) scrollTo(aim);
});

function scrollTo(aim) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  aim.scrollIntoView({ behavior: still ? "auto" : "smooth" });
}

if (element.querySelector(".fx-welcome") && /[?&](item|text)=/.test(location.search)) {
  send({ do: "address", query: location.search });
}

function toggleTheme() {
  const dark = document.body.classList.toggle("dark");
  try { localStorage.setItem("fashify-theme", dark ? "dark" : "light"); } catch { /* private mode */ }
}

async function sendPhoto(file) {
  if (!file) return;
  if (file.size > MAX_BYTES) {
    const megabytes = Math.round(file.size / 1e6);
    return send({ do: "refused", why: `That file has ${megabytes} MB; the most is 25 MB. Choose a smaller photo.` });
  }
  element.classList.add("fx-busy");
  try {
    const { path } = await upload(file);
    send({ do: "photo", path });
  } catch {
    send({ do: "refused", why: "The photo did not arrive. Check the connection and try again." });
  } finally {
    element.classList.remove("fx-busy");
  }
}

if (element.querySelector(".fx-query")) {
  element.addEventListener("change", (event) => {
    if (!event.target.matches(".fx-file")) return;
    sendPhoto(event.target.files[0]);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) { event.preventDefault(); sendPhoto(file); }
  });
  const area = document.documentElement;
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("fx-dragging");
  });
  area.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("fx-dragging");
  });
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("fx-dragging");
    sendPhoto(event.dataTransfer?.files?.[0]);
  });
}

// A region is drawn on the photo with mouse, pen or finger; its ends are fractions of the photo.
let corner = null;
const within = (value) => Math.min(1, Math.max(0, value));
function placeOf(event, frame) {
  const area = frame.getBoundingClientRect();
  return [within((event.clientY - area.top) / area.height), within((event.clientX - area.left) / area.width)];
}
function drawBox(frame, [y, x]) {
  const [top, left, bottom, right] = [Math.min(y, corner[0]), Math.min(x, corner[1]), Math.max(y, corner[0]), Math.max(x, corner[1])];
  const box = frame.querySelector(".fx-box");
  const percent = (value) => `${100 * value}%`;
  Object.assign(box.style, { top: percent(top), left: percent(left), height: percent(bottom - top), width: percent(right - left) });
  const large = bottom - top > 0.03 && right - left > 0.03;
  box.hidden = !large;
  box.dataset.region = [top, left, bottom, right].map((value) => value.toFixed(4)).join(",");
  element.querySelector("[data-cut]").disabled = !large;
}
element.addEventListener("pointerdown", (event) => {
  const frame = event.target.closest("[data-cuttable]");
  if (!frame) return;
  corner = placeOf(event, frame);
  frame.setPointerCapture(event.pointerId);
});
element.addEventListener("pointermove", (event) => {
  const frame = event.target.closest("[data-cuttable]");
  if (corner && frame) drawBox(frame, placeOf(event, frame));
});
element.addEventListener("pointerup", () => { corner = null; });
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-cut]");
  if (button) send({ do: "crop", region: element.querySelector(".fx-box").dataset.region });
});

async function openCamera() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    return send({ do: "refused", why: "No camera to be had: none is there, or the browser keeps it back." });
  }
  const dialog = document.createElement("dialog");
  dialog.className = "fx-camera";
  dialog.setAttribute("aria-label", "Camera");
  dialog.innerHTML = '<video autoplay playsinline muted></video><div class="fx-tools">'
    + '<button type="button" class="fx-button fx-primary" data-snap>Take the photo</button>'
    + '<button type="button" class="fx-button" data-cancel>Cancel</button></div>';
  const video = dialog.querySelector("video");
  video.srcObject = stream;
  dialog.addEventListener("close", () => {
    stream.getTracks().forEach((track) => track.stop());
    dialog.remove();
  });
  dialog.querySelector("[data-cancel]").onclick = () => dialog.close();
  dialog.querySelector("[data-snap]").onclick = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      dialog.close();
      sendPhoto(blob && new File([blob], "camera.jpg", { type: "image/jpeg" }));
    }, "image/jpeg", 0.92);
  };
  (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  dialog.showModal();
}
