"use strict";
// What is marked on each photo, how it is changed and undone, and how it is saved. Points are pixels of the photo.

const KINDS = ["mole", "spot", "pimple", "scar", "wrinkle"];
const COLOURS = { mole: "#ffb04d", spot: "#ffe873", pimple: "#ff7d97", scar: "#7fd4ff", wrinkle: "#93ee8f", crowded: "#cda8ff" };
const UNDO_STEPS = 500;
const RETRY_MS = 3000;

// A state is never changed, only replaced: undo is going back to the one before.
const NOTHING = { marks: [], crowded: [], done: false, settled: [] };

function newEntry(index, listed) {
  return { index, ...listed, image: null, isRead: false, problem: "", now: NOTHING, past: [], future: [],
    proposals: [], proposed: "", before: "", isDirty: false, isSaving: false, trouble: "", isElsewhere: false, savedAt: null, words: "" };
}

function change(entry, next) {
  entry.past = [...entry.past.slice(-UNDO_STEPS), entry.now];
  entry.future = [];
  entry.now = { ...entry.now, ...next };
  save(entry);
}

function step(entry, from, to) {
  if (!entry[from].length) return false;
  entry[to] = [...entry[to], entry.now];
  entry.now = entry[from].at(-1);
  entry[from] = entry[from].slice(0, -1);
  save(entry);
  return true;
}

const undo = (entry) => step(entry, "past", "future");
const redo = (entry) => step(entry, "future", "past");

function addMark(entry, mark) {
  const { marks } = entry.now;
  const isThere = marks.some((other) => other.kind === mark.kind && same(other.points, mark.points));
  if (isThere) return null;
  change(entry, { marks: [...marks, mark] });
  return mark;
}

function replaceMark(entry, mark, facts) {
  const changed = { ...mark, ...facts };
  const twin = entry.now.marks.some((other) => other !== mark && other.kind === changed.kind && same(other.points, changed.points));
  if (twin || !entry.now.marks.includes(mark)) return mark;
  change(entry, { marks: entry.now.marks.map((other) => (other === mark ? changed : other)) });
  return changed;
}

function removeItem(entry, item) {
  change(entry, { marks: entry.now.marks.filter((mark) => mark !== item), crowded: entry.now.crowded.filter((polygon) => polygon !== item) });
}

function openProposals(entry) {
  return entry.proposals.filter((proposal) => !entry.now.settled.includes(proposal.id));
}

function markOf(proposal) {
  return { kind: proposal.kind, points: proposal.points, diameter: round(proposal.diameter, 10), sure: true };
}

function acceptProposals(entry, proposals) {
  const fresh = proposals.map(markOf).filter((mark, place, all) => {
    const others = [...entry.now.marks, ...all.slice(0, place)];
    return !others.some((other) => other.kind === mark.kind && same(other.points, mark.points));
  });
  const settled = [...entry.now.settled, ...proposals.map((proposal) => proposal.id)];
  change(entry, { marks: [...entry.now.marks, ...fresh], settled });
  return fresh.at(-1) ?? null;
}

function rejectProposals(entry, proposals) {
  change(entry, { settled: [...entry.now.settled, ...proposals.map((proposal) => proposal.id)] });
}

// What was saved earlier is not proposed again: its mark lies within the larger of the two, or within 6 pixels.
function isMarked(proposal, marks) {
  return marks.some((mark) => {
    if ((mark.kind === "wrinkle") !== (proposal.kind === "wrinkle")) return false;
    const reach = Math.max(6, proposal.diameter, mark.diameter ?? 0);
    const far = proposal.points.filter((point) => distanceToLine(point, mark.points) > reach);
    return far.length * 2 < proposal.points.length;
  });
}

async function save(entry) {
  entry.isDirty = true;
  showAll();
  if (entry.isSaving || entry.isElsewhere) return;
  entry.isSaving = true;
  while (entry.isDirty && !entry.isElsewhere) {
    entry.isDirty = false;
    try {
      entry.before = (await ask("PUT", `marks/${entry.index}`, plainState(entry))).before;
      entry.trouble = "";
      entry.savedAt = new Date();
    } catch (error) {
      entry.isDirty = true;
      entry.trouble = error.message;
      entry.isElsewhere = error.status === 409;
      showAll();
      if (!entry.isElsewhere) await new Promise((go) => setTimeout(go, RETRY_MS));
    }
  }
  entry.isSaving = false;
  showAll();
}

function plainState(entry) {
  const inside = ([x, y]) => [clamp(round(x, 100), 0, entry.width), clamp(round(y, 100), 0, entry.height)];
  const marks = entry.now.marks.map((mark) => ({ ...mark, points: mark.points.map(inside) }));
  return { marks, crowded: entry.now.crowded.map((polygon) => polygon.map(inside)), done: entry.now.done, before: entry.before };
}

// A wrong answer of the server is an Error with its sentence and status.
async function ask(method, address, body) {
  const options = body ? { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } } : { method };
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("the program that serves this page does not answer; is it still running?");
  }
  if (answer.ok) return answer.headers.get("Content-Type").startsWith("image/") ? answer.blob() : answer.json();
  const said = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(said.error ?? `status ${answer.status}`), { status: answer.status });
}

const round = (value, parts) => Math.round(value * parts) / parts;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const same = (some, others) => some.length === others.length && some.every((p, i) => distance(p, others[i]) < 0.011);

function distanceToLine(point, line) {
  if (line.length === 1) return distance(point, line[0]);
  return Math.min(...line.slice(1).map((end, i) => distanceToPart(point, line[i], end)));
}

function distanceToPart(point, start, end) {
  const [dx, dy] = [end[0] - start[0], end[1] - start[1]];
  const along = clamp(((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  return distance(point, [start[0] + along * dx, start[1] + along * dy]);
}
