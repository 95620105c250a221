// Fingers, pen and mouse on the canvas: what they touch, and what becomes of it.

const HOLD_MS = 450;
const DOUBLE_MS = 380;

let tool = "mole";
let chosen = null; // a mark or a crowded polygon of the current state
let preview = null; // the chosen mark while it is dragged
let line = []; // the wrinkle that is being drawn
let lasso = []; // the crowded region that is being drawn
let hand = null; // what the finger that is down does
let pointer = null; // where the mouse is
let lastTap = { at: 0, point: [0, 0] };
let isLoupeOn = false;
let areMarksHidden = false;
const fingers = new Map();

const isHidden = () => areMarksHidden;
const reachOf = (event) => (event.pointerType === "touch" ? 22 : 10);

const isShaping = (what) => ["rim", "move", "vertex"].includes(what.what);

function loupeAt() {
  if (hand && (hand.what === "place" || (hand.isTouch && isShaping(hand)))) return hand.focus;
  return isLoupeOn && pointer && !hand ? pointer : null;
}

function spotOf(event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

canvas.addEventListener("pointerdown", (event) => {
  if (!current?.isRead || !current.image) return;
  canvas.setPointerCapture(event.pointerId);
  canvas.focus({ preventScroll: true });
  const at = spotOf(event);
  fingers.set(event.pointerId, at);
  letGo();
  if (fingers.size === 2) hand = { what: "pinch" };
  else if (fingers.size === 1) hand = event.button ? { what: "pan" } : grasped(at, event);
  draw();
});

canvas.addEventListener("pointermove", (event) => {
  const at = spotOf(event);
  pointer = event.pointerType === "mouse" ? at : null;
  const before = fingers.get(event.pointerId);
  if (before && hand) {
    const others = [...fingers].filter(([id]) => id !== event.pointerId);
    fingers.set(event.pointerId, at);
    if (hand.what === "pinch" && others.length) pinched(others[0][1], before, at);
    else if (hand.what !== "pinch") dragged(before, at);
  }
  if (isLoupeOn || hand) draw();
});

canvas.addEventListener("pointerup", (event) => {
  const at = spotOf(event);
  fingers.delete(event.pointerId);
  if (!hand || hand.what === "pinch") {
    // The finger that is left of two does nothing until it is lifted.
    hand = fingers.size ? { what: "none" } : null;
  } else {
    const ended = hand;
    clearTimeout(ended.timer);
    hand = null;
    released(ended, at, event.timeStamp);
    preview = null;
    lasso = [];
  }
  showAll();
});

canvas.addEventListener("pointercancel", (event) => {
  fingers.delete(event.pointerId);
  letGo();
  showAll();
});

canvas.addEventListener("pointerleave", () => { pointer = null; draw(); });
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (!current) return;
  const lines = event.deltaMode === 1 ? 20 : 1;
  zoomAt(spotOf(event), Math.exp(-clamp(event.deltaY * lines, -200, 200) / (event.ctrlKey ? 100 : 400)));
}, { passive: false });

function letGo() {
  clearTimeout(hand?.timer);
  hand = null;
  preview = null;
  lasso = [];
}

// What a finger that comes down begins: to drag a part of the chosen mark, to draw around, or a tap.
function grasped(at, event) {
  const isTouch = event.pointerType === "touch";
  const part = line.length || areMarksHidden ? null : partOfChosen(at, reachOf(event));
  if (part) return { ...part, isTouch, start: at, focus: at, since: event.timeStamp, touched: touchedAt(at, reachOf(event)) };
  if (tool === "crowded") {
    lasso = [inPhoto(at, current)];
    return { what: "lasso", start: at, touched: touchedAt(at, reachOf(event)) };
  }
  const touched = line.length ? null : touchedAt(at, reachOf(event));
  const tap = { what: "tap", start: at, isTouch, touched };
  tap.timer = setTimeout(() => held(tap), HOLD_MS);
  return tap;
}

function partOfChosen(at, reach) {
  if (!chosen?.kind) return null;
  if (chosen.kind === "wrinkle") {
    const gaps = chosen.points.map((point) => distance(onScreen(point), at));
    const nearest = gaps.indexOf(Math.min(...gaps));
    return gaps[nearest] < reach ? { what: "vertex", vertex: nearest } : null;
  }
  const away = distance(onScreen(chosen.points[0]), at);
  const rim = rimOf(chosen);
  if (distance(knobOf(chosen), at) < reach || (rim > 9 && Math.abs(away - rim) < 6)) return { what: "rim", more: away - rim };
  return away < Math.max(rim - 6, reach * 0.7) ? { what: "move" } : null;
}

// The mark, proposal or crowded region next to a place: { mark } or { proposal } or { polygon }, or null.
function touchedAt(at, reach) {
  if (areMarksHidden) return null;
  const gap = (points) => distanceToLine(at, points.map((point) => onScreen(point)));
  const near = (mark) => (mark.kind === "wrinkle" ? gap(mark.points) : Math.max(0, gap(mark.points) - rimOf(mark)));
  const found = [
    ...current.now.marks.map((mark) => ({ mark, gap: near(mark) })),
    ...openProposals(current).map((proposal) => ({ proposal, gap: near(proposal) + 1 })),
    ...current.now.crowded.map((polygon) => ({ polygon, gap: gap([...polygon, polygon[0]]) + 2 })),
  ];
  const best = found.sort((a, b) => a.gap - b.gap)[0];
  return best && best.gap < reach * 0.7 ? best : null;
}

function dragged(before, at) {
  const isFar = distance(hand.start ?? at, at) > (hand.isTouch ? 9 : 4);
  if (hand.what === "tap" && isFar) {
    clearTimeout(hand.timer);
    hand = { what: "pan" };
  }
  if (hand.what === "pan") panBy(at[0] - before[0], at[1] - before[1]);
  if (hand.what === "place") hand.focus = at;
  if (hand.what === "lasso" && distance(onScreen(lasso.at(-1)), at) > 4) lasso = [...lasso, inPhoto(at, current)];
  if (isShaping(hand) && (preview || isFar)) shaped(at);
}

// The chosen mark as it would be if the finger were lifted now.
function shaped(at) {
  if (hand.what === "rim") {
    const radius = Math.max(distance(onScreen(chosen.points[0]), at) - hand.more, 0.5);
    preview = { ...chosen, diameter: Math.max(round((2 * radius) / place.scale, 10), 0.5) };
    return;
  }
  const from = chosen.points[hand.vertex ?? 0];
  const moved = onScreen(from).map((value, axis) => value + at[axis] - hand.start[axis]);
  const points = chosen.points.map((point) => (point === from ? inPhoto(moved, current) : point));
  preview = { ...chosen, points };
  hand.focus = moved;
}

function pinched(other, before, at) {
  const factor = distance(other, at) / Math.max(distance(other, before), 1);
  const middle = [(other[0] + before[0]) / 2, (other[1] + before[1]) / 2];
  zoomAt(middle, factor, [(at[0] - before[0]) / 2, (at[1] - before[1]) / 2]);
}

function held(tap) {
  const { mark, proposal } = tap.touched ?? {};
  if (mark || proposal) {
    hand = { what: "none" };
    navigator.vibrate?.(15);
    if (proposal) rejectProposals(current, [proposal]);
    else chosen = replaceMark(current, mark, { sure: !mark.sure });
  } else if (isInPhoto(tap.start, current)) hand = { what: "place", isTouch: tap.isTouch, focus: tap.start };
  showAll();
}

function released(ended, at, now) {
  if (ended.what === "tap") tapped(ended, at);
  if (ended.what === "place") put(inPhoto(at, current));
  if (ended.what === "lasso") surrounded(ended, at);
  if (preview) chosen = replaceMark(current, chosen, { points: preview.points, diameter: preview.diameter });
  else if (isShaping(ended)) pressedOn(ended, at, now - ended.since);
}

// A part of the chosen mark was not dragged: held, or another mark below its knob was meant.
function pressedOn(ended, at, elapsed) {
  if (ended.touched && ended.touched.mark !== chosen) tapped(ended, at);
  else if (elapsed > HOLD_MS && ended.what !== "rim") chosen = replaceMark(current, chosen, { sure: !chosen.sure });
}

function tapped(ended, at) {
  const isDouble = performance.now() - lastTap.at < DOUBLE_MS && distance(lastTap.point, at) < 26;
  lastTap = { at: performance.now(), point: at };
  if (line.length) {
    if (isDouble) endLine();
    else put(inPhoto(at, current));
  } else if (ended.touched) {
    const { mark, proposal, polygon } = ended.touched;
    chosen = proposal ? acceptProposals(current, [proposal]) : mark ?? polygon;
  } else if (isInPhoto(at, current) && !areMarksHidden) put(inPhoto(at, current));
}

function put(point) {
  chosen = null;
  if (tool === "wrinkle") line = [...line, point];
  else chosen = addMark(current, { kind: tool, points: [point], diameter: null, sure: true });
}

function endLine() {
  if (line.length > 1) chosen = addMark(current, { kind: "wrinkle", points: line, diameter: null, sure: true });
  line = [];
}

function surrounded(ended, at) {
  const box = (axis) => Math.max(...lasso.map((p) => p[axis])) - Math.min(...lasso.map((p) => p[axis]));
  if (lasso.length > 3 && Math.max(box(0), box(1)) * place.scale > 16) {
    const polygon = lasso;
    change(current, { crowded: [...current.now.crowded, polygon] });
    chosen = polygon;
  } else if (distance(ended.start, at) < 9) {
    const { mark, proposal, polygon } = ended.touched ?? {};
    chosen = proposal ? acceptProposals(current, [proposal]) : mark ?? polygon ?? null;
  }
}
