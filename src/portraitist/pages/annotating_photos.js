// Which photo is on the screen, what is loaded of it, and what the page says about it.

const part = (id) => document.getElementById(id);
const entries = [];
let listing = { photos: [], out: "", detector: null };
let current = null;

async function start() {
  try {
    listing = await ask("GET", "photos");
  } catch (error) {
    tell("not loaded", "no", error.message);
    return;
  }
  listing.photos.forEach((listed, index) => entries.push(newEntry(index, listed)));
  part("photos").replaceChildren(...entries.map((entry) => new Option(entry.file, entry.index)));
  const first = entries.find((entry) => entry.marks === null) ?? entries[0];
  show(first.index);
}

async function show(index) {
  if (current) endLine();
  letGo();
  [current, chosen, line] = [entries[index], null, []];
  fitPhoto();
  showAll();
  const entry = current;
  await load(entry);
  if (entry !== current) return;
  showAll();
  // What will be wanted next is fetched while this one is looked at.
  await propose(entry);
  if (entry === current && entries[index + 1]) await load(entries[index + 1]).then(() => propose(entries[index + 1]));
}

async function load(entry) {
  entry.problem = "";
  try {
    if (!entry.isRead) await readMarks(entry);
    if (!entry.image) await readPixels(entry);
  } catch (error) {
    entry.problem = error.message;
  }
  // Pixels of photos far away are let go.
  for (const other of entries) if (other.image && Math.abs(other.index - current.index) > 1) forget(other);
}

async function readMarks(entry) {
  const saved = await ask("GET", `marks/${entry.index}`);
  if (entry.isRead) return;
  const marks = saved.marks.map((mark) => ({ sure: true, diameter: null, ...mark }));
  Object.assign(entry, { now: { ...NOTHING, marks, crowded: saved.crowded, done: saved.done }, before: saved.before, isRead: true });
  entry.words = saved.changed ? "This photo was changed since it was annotated: check its marks. " : "";
}

async function readPixels(entry) {
  const image = new Image();
  image.src = URL.createObjectURL(await ask("GET", `pixels/${entry.index}`));
  await image.decode();
  entry.image = image;
}

function forget(entry) {
  URL.revokeObjectURL(entry.image.src);
  entry.image = null;
}

async function propose(entry) {
  if (!listing.detector || entry.proposed || !entry.isRead) return;
  entry.proposed = "looking for marks";
  showAll();
  try {
    const { faces, marks } = await ask("GET", `proposals/${entry.index}`);
    entry.proposals = marks.map((mark, id) => ({ id, ...mark })).filter((mark) => !isMarked(mark, entry.now.marks));
    entry.proposed = faces ? "proposals" : "no face found, so no proposals";
  } catch (error) {
    entry.proposed = "";
    entry.words += `No proposals: ${error.message} `;
  }
  showAll();
}

function go(by) {
  const index = current ? current.index + by : 0;
  if (entries[index]) show(index);
}

// The next photo that nobody has looked at; after the last one the search begins anew.
function goToUnseen() {
  const ahead = [...entries.slice(current.index + 1), ...entries.slice(0, current.index)];
  const unseen = ahead.find((entry) => countOf(entry) === null);
  if (unseen) show(unseen.index);
  else current.words = "Every photo is in the file. ";
}

// Marks in the file, null while the photo is not in it.
function countOf(entry) {
  if (!entry.isRead) return entry.marks;
  const { marks, crowded, done } = entry.now;
  return marks.length || crowded.length || done ? marks.length : null;
}

function showAll() {
  draw();
  if (!current) return;
  showState();
  showList();
  showTools();
  part("hint").textContent = hint();
}

function showState() {
  const time = current.savedAt?.toTimeString().slice(0, 8);
  const waiting = entries.filter((entry) => entry.isDirty || entry.isSaving);
  const troubled = [current, ...entries].find((entry) => entry.trouble);
  if (troubled) tell("NOT SAVED", "no", `Not saved: ${troubled.trouble}`);
  else if (waiting.length) tell("saving", "");
  else if (countOf(current) === null) tell("not in the file yet", "");
  else if (!current.now.marks.length) tell(`${time ? `saved ${time}` : "saved"}: looked, no marks`, "yes");
  else tell(time ? `saved ${time}` : "saved", "yes");
  part("again").hidden = !current.isElsewhere;
}

function tell(words, look, trouble = "") {
  const state = part("state");
  if (state.textContent !== words) state.textContent = words;
  state.className = look;
  if (part("reason").textContent !== trouble) part("reason").textContent = trouble;
  part("trouble").hidden = !trouble;
}

function showList() {
  for (const entry of entries) {
    const count = countOf(entry);
    const words = `${entry.index + 1}/${entries.length} ${entry.file}${count === null ? "" : ` \u2713 ${count || "none"}`}`;
    const option = part("photos").options[entry.index];
    if (option.text !== words) option.text = words;
  }
  part("photos").value = current.index;
}

function showTools() {
  for (const button of part("kinds").children) button.setAttribute("aria-checked", button.value === tool);
  const isMark = Boolean(chosen?.kind);
  const open = current.isRead ? openProposals(current).length : 0;
  const usable = { undo: current.past.length || line.length, redo: current.future.length, delete: chosen || line.length, unsure: isMark,
    smaller: isMark, larger: isMark, accept: open, reject: open, done: current.isRead, previous: current.index, next: current.index < entries.length - 1 };
  for (const [name, can] of Object.entries(usable)) part(name).disabled = !can;
  const isPressed = { unsure: isMark && !chosen.sure, magnify: isLoupeOn, hide: areMarksHidden };
  for (const [name, is] of Object.entries(isPressed)) part(name).setAttribute("aria-pressed", is);
  part("end").hidden = line.length < 2;
  part("accept").hidden = part("reject").hidden = !listing.detector;
  part("accept").textContent = open ? `Accept ${open}` : "Accept all";
  part("kind").hidden = !isMark || chosen.kind === "wrinkle";
  if (isMark) part("kind").value = chosen.kind;
}

function hint() {
  if (current.problem) return current.problem;
  if (!current.isRead || !current.image) return "loading";
  if (areMarksHidden) return "The marks are hidden: H or Hide shows them.";
  if (line.length) return "Tap along the wrinkle; double-tap, Enter or End line ends it.";
  const open = openProposals(current).length;
  const proposals = open ? `${open} proposal${open > 1 ? "s" : ""}, dashed: tap accepts, hold rejects. ` : current.proposed === "proposals" ? "" : current.proposed && `${current.proposed}. `;
  const sizes = chosen?.kind && chosen.diameter ? `${chosen.kind}, ${chosen.diameter.toFixed(1)} px. ` : "";
  const tap = tool === "crowded" ? "Draw around skin crowded with freckles." : tool === "wrinkle" ? "Tap where the wrinkle begins." : "";
  return `${current.words}${sizes}${proposals}${tap}`;
}

function makeButtons() {
  for (const [place, kind] of [...KINDS, "crowded"].entries()) {
    const button = Object.assign(document.createElement("button"), { value: kind, textContent: kind, title: `${kind} (${kind === "crowded" ? "C" : place + 1})` });
    button.setAttribute("role", "radio");
    button.style.setProperty("--colour", COLOURS[kind]);
    button.addEventListener("click", () => { choose(kind); showAll(); });
    part("kinds").append(button);
  }
  part("kind").replaceChildren(...KINDS.slice(0, 4).map((kind) => new Option(kind, kind)));
  for (const name of Object.keys(ACTIONS)) part(name).addEventListener("click", () => act(name));
}

part("kind").addEventListener("change", (event) => {
  if (chosen?.kind) chosen = replaceMark(current, chosen, { kind: event.target.value });
  event.target.blur();
  showAll();
});
part("photos").addEventListener("change", (event) => { event.target.blur(); show(Number(event.target.value)); });
part("again").addEventListener("click", () => {
  entries[current.index] = newEntry(current.index, { ...listing.photos[current.index] });
  show(current.index);
});
new ResizeObserver(() => (place.isMoved ? draw() : fitPhoto())).observe(canvas);
addEventListener("beforeunload", (event) => { if (entries.some((entry) => entry.isDirty || entry.isSaving)) event.preventDefault(); });

makeButtons();
start();
