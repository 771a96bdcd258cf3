// Words beside the picture: suggestions as one types, keys to choose among them, one event to search.
// Runs after page.js, in the query's part of the page.
let asked = 0, pause = null;
const listed = () => [...element.querySelectorAll(".fx-suggested li")];
const box = () => element.querySelector(".fx-say input");

function showSuggestions(texts) {
  const list = element.querySelector(".fx-suggested");
  list.replaceChildren(...texts.map((text, n) => {
    const option = document.createElement("li");
    Object.assign(option, { textContent: text, id: `fx-suggested-${n}` });
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    return option;
  }));
  list.hidden = !texts.length;
  box().setAttribute("aria-expanded", String(texts.length > 0));
  box().removeAttribute("aria-activedescendant");
}

function say(text) {
  asked += 1;
  clearTimeout(pause);
  showSuggestions([]);
  send({ do: "say", text });
}

// Only the last question's answer counts: an earlier one may come later.
async function askSuggestions(text) {
  const mine = asked += 1;
  const texts = text.trim() ? await server.suggest(text).catch(() => []) : [];
  if (mine === asked && document.activeElement === box()) showSuggestions(texts);
}

function choose(step) {
  const options = listed();
  if (!options.length) return;
  const at = options.findIndex((one) => one.ariaSelected === "true");
  const next = at < 0 ? (step > 0 ? 0 : options.length - 1) : (at + step + options.length) % options.length;
  options.forEach((one, n) => one.setAttribute("aria-selected", String(n === next)));
  box().value = options[next].textContent;
  box().setAttribute("aria-activedescendant", options[next].id);
}

element.addEventListener("input", (event) => {
  if (event.target !== box()) return;
  clearTimeout(pause);
  const text = event.target.value;
  pause = setTimeout(() => askSuggestions(text), 120);
});
element.addEventListener("keydown", (event) => {
  if (event.target !== box()) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) { event.preventDefault(); choose(step); }
  if (event.key === "Escape") showSuggestions([]);
});
// Before the box loses the focus.
element.addEventListener("pointerdown", (event) => {
  const option = event.target.closest(".fx-suggested li");
  if (!option) return;
  event.preventDefault();
  box().value = option.textContent;
  say(option.textContent);
});
element.addEventListener("focusout", (event) => {
  if (event.target === box()) showSuggestions([]);
});
element.addEventListener("submit", (event) => {
  if (event.target.matches(".fx-words")) say(box().value);
});
