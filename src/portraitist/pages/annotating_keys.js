// What buttons and keys do, by the name of the button.

const STEP = 1.15;
const ACTIONS = {
  undo: () => {
    if (line.length) line = line.slice(0, -1);
    else if (undo(current)) chosen = null;
  },
  redo: () => { if (redo(current)) chosen = null; },
  delete: () => {
    if (line.length) line = line.slice(0, -1);
    else if (chosen) removeItem(current, chosen);
    if (!line.length) chosen = null;
  },
  unsure: () => { if (chosen?.kind) chosen = replaceMark(current, chosen, { sure: !chosen.sure }); },
  smaller: () => resized(1 / STEP),
  larger: () => resized(STEP),
  end: () => endLine(),
  accept: () => { const open = openProposals(current); if (open.length) chosen = acceptProposals(current, open); },
  reject: () => { const open = openProposals(current); if (open.length) rejectProposals(current, open); },
  done: () => { endLine(); if (!current.now.done) change(current, { done: true }); goToUnseen(); },
  previous: () => go(-1),
  next: () => go(1),
  fit: () => fitPhoto(),
  magnify: () => { isLoupeOn = !isLoupeOn; },
  hide: () => { areMarksHidden = !areMarksHidden; },
  help: () => {
    const words = document.getElementById("words");
    words.showModal();
    words.scrollTop = 0;
  },
};

function resized(factor) {
  if (!chosen?.kind) return;
  const now = chosen.diameter ?? (chosen.kind === "wrinkle" ? 2 : (2 * NO_SIZE) / place.scale);
  chosen = replaceMark(current, chosen, { diameter: clamp(round(now * factor, 10), 0.5, current.width) });
}

function act(name) {
  if (!current?.isRead && !["previous", "next", "help"].includes(name)) return;
  ACTIONS[name]();
  showAll();
}

const KEYS = { a: "accept", r: "reject", u: "unsure", d: "done", f: "fit", 0: "fit", l: "magnify", h: "hide", "?": "help", "[": "smaller", "]": "larger",
  Delete: "delete", Backspace: "delete", Enter: "end", ArrowLeft: "previous", ArrowRight: "next" };

addEventListener("keydown", (event) => {
  if (event.altKey || document.querySelector("dialog[open]") || event.target.tagName === "SELECT") return;
  const isButton = event.target.tagName === "BUTTON" && ["Enter", " "].includes(event.key);
  if (isButton || !pressed(event)) return;
  event.preventDefault();
  showAll();
});

// True when the key meant something here.
function pressed(event) {
  // Letters by their place on keyboards without Latin ones.
  const key = /^Key[A-Z]$/.test(event.code) && !/^[a-z]$/i.test(event.key) ? event.code[3].toLowerCase() : event.key;
  const letter = key.length === 1 ? key.toLowerCase() : key;
  if (event.ctrlKey || event.metaKey) {
    const name = letter === "z" ? (event.shiftKey ? "redo" : "undo") : letter === "y" ? "redo" : null;
    if (name) act(name);
    return name !== null;
  }
  if (letter in KEYS) act(KEYS[letter]);
  else if (/^[1-5]$/.test(letter)) choose(KINDS[letter - 1]);
  else if (letter === "c" || letter === "6") choose("crowded");
  else if (letter === "Escape") { line.length ? (line = []) : (chosen = null); letGo(); }
  else if (letter === "x") rejectUnderPointer();
  else if (current && (letter === "+" || letter === "=")) zoomAt(pointer ?? middle(), 1.3);
  else if (current && letter === "-") zoomAt(pointer ?? middle(), 1 / 1.3);
  else return false;
  return true;
}

const middle = () => [canvas.clientWidth / 2, canvas.clientHeight / 2];

function choose(kind) {
  if (line.length) endLine();
  tool = kind;
}

function rejectUnderPointer() {
  const proposal = pointer && current?.isRead && touchedAt(pointer, 12)?.proposal;
  if (proposal) rejectProposals(current, [proposal]);
}
