// The photo on the canvas with its marks, zoomed and moved, and the loupe. Screen points are CSS pixels of the canvas.

const canvas = document.getElementById("picture");
const brush = canvas.getContext("2d");
const NO_SIZE = 9;
const KNOB = 16;
const LOUPE = 62;
const MAX_SCALE = 40;

// place: the photo's corner is drawn at (x, y). The middle of its first pixel is the point (0, 0), as for the detectors,
// half a pixel from the corner. isMoved: not the whole photo any more.
let place = { scale: 1, x: 0, y: 0, isMoved: false };
let frame = 0;

const onScreen = (point, where = place) => [(point[0] + 0.5) * where.scale + where.x, (point[1] + 0.5) * where.scale + where.y];
const onPhoto = (point) => [(point[0] - place.x) / place.scale - 0.5, (point[1] - place.y) / place.scale - 0.5];
const placeFor = (inPhoto, at, scale) => ({ scale, x: at[0] - (inPhoto[0] + 0.5) * scale, y: at[1] - (inPhoto[1] + 0.5) * scale });
const inPhoto = (point, entry) => {
  const [x, y] = onPhoto(point);
  return [clamp(x, 0, entry.width), clamp(y, 0, entry.height)];
};
const isInPhoto = (point, entry) => distance(onPhoto(point), inPhoto(point, entry)) < 0.75;
const rimOf = (mark, where = place) => (mark.diameter ? Math.max((mark.diameter / 2) * where.scale, 2) : NO_SIZE);

function fitPhoto() {
  if (!current) return;
  const { clientWidth: w, clientHeight: h } = canvas;
  const scale = Math.min(w / current.width, h / current.height);
  place = { scale, x: (w - current.width * scale) / 2, y: (h - current.height * scale) / 2, isMoved: false };
  draw();
}

function zoomAt(point, factor, moved = [0, 0]) {
  const least = 0.5 * Math.min(canvas.clientWidth / current.width, canvas.clientHeight / current.height);
  const scale = clamp(place.scale * factor, least, MAX_SCALE);
  place = { ...placeFor(onPhoto(point), [point[0] + moved[0], point[1] + moved[1]], scale), isMoved: true };
  keepInSight();
  draw();
}

function panBy(dx, dy) {
  place = { ...place, x: place.x + dx, y: place.y + dy, isMoved: true };
  keepInSight();
  draw();
}

// At least a strip of the photo stays on the canvas.
function keepInSight() {
  const strip = 60;
  place.x = clamp(place.x, strip - current.width * place.scale, canvas.clientWidth - strip);
  place.y = clamp(place.y, strip - current.height * place.scale, canvas.clientHeight - strip);
}

function draw() {
  if (!frame) frame = requestAnimationFrame(paint);
}

function paint() {
  frame = 0;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  if (!current?.image) return;
  paintPhoto(place);
  if (!isHidden()) paintMarks(place);
  const looked = loupeAt();
  if (looked) paintLoupe(looked);
}

function paintPhoto(where) {
  // Far in, single pixels are what one wants to see.
  brush.imageSmoothingEnabled = where.scale < 4;
  brush.imageSmoothingQuality = "high";
  brush.drawImage(current.image, where.x, where.y, current.width * where.scale, current.height * where.scale);
}

function paintMarks(where) {
  const { marks, crowded } = current.now;
  for (const polygon of crowded) paintLine(polygon, COLOURS.crowded, where, { isClosed: true, isChosen: polygon === chosen });
  if (lasso.length > 1) paintLine(lasso, COLOURS.crowded, where, { dash: [3, 3] });
  if (current.isRead) for (const proposal of openProposals(current)) paintMark(proposal, where, { dash: [5, 4] });
  for (const mark of marks) paintMark(mark === chosen && preview ? preview : mark, where, { isChosen: mark === chosen });
  if (line.length) paintLine(line, COLOURS.wrinkle, where, { hasKnobs: true });
}

function paintMark(mark, where, look) {
  const colour = COLOURS[mark.kind];
  if (mark.kind === "wrinkle") paintLine(mark.points, colour, where, { ...look, hasKnobs: look.isChosen });
  else paintRim(mark, colour, where, look);
  const [x, y] = onScreen(mark.points[0], where);
  const aside = mark.kind === "wrinkle" ? 6 : rimOf(mark, where) + 3;
  paintWord(`${KINDS.indexOf(mark.kind) + 1}${mark.sure === false ? "?" : ""}`, [x - aside + 1, y - aside + 3], colour);
  if (look.isChosen && mark.kind !== "wrinkle") paintKnob(knobOf(mark, where), colour);
}

// The skin stays visible: a rim, never a filled disc.
function paintRim(mark, colour, where, look) {
  const [x, y] = onScreen(mark.points[0], where);
  const radius = rimOf(mark, where);
  const path = new Path2D();
  path.arc(x, y, radius, 0, 2 * Math.PI);
  stroke(path, colour, { ...look, dash: look.dash ?? (mark.diameter ? [] : [1.5, 3]) });
  if (radius > 6) stroke(new Path2D(`M${x - 2} ${y}h4M${x} ${y - 2}v4`), colour, { isThin: true });
}

function paintLine(points, colour, where, look) {
  const path = new Path2D();
  points.forEach((point, i) => (i ? path.lineTo(...onScreen(point, where)) : path.moveTo(...onScreen(point, where))));
  if (look.isClosed) path.closePath();
  stroke(path, colour, look);
  if (look.hasKnobs) for (const point of points) paintKnob(onScreen(point, where), colour, 4);
}

function stroke(path, colour, { dash = [], isChosen = false, isThin = false }) {
  brush.setLineDash(dash);
  brush.lineJoin = "round";
  brush.lineWidth = isThin ? 2 : isChosen ? 5 : 3.4;
  brush.strokeStyle = isChosen ? "rgb(255 255 255 / .85)" : "rgb(0 0 0 / .55)";
  brush.stroke(path);
  brush.lineWidth = isThin ? 0.8 : 1.7;
  brush.strokeStyle = colour;
  brush.stroke(path);
  brush.setLineDash([]);
}

function paintKnob([x, y], colour, radius = 6) {
  brush.beginPath();
  brush.arc(x, y, radius, 0, 2 * Math.PI);
  brush.fillStyle = colour;
  brush.strokeStyle = "#101012";
  brush.lineWidth = 1.5;
  brush.fill();
  brush.stroke();
}

function paintWord(text, [x, y], colour) {
  brush.font = "600 11px system-ui, sans-serif";
  brush.textAlign = "right";
  brush.lineWidth = 3;
  brush.strokeStyle = "rgb(0 0 0 / .7)";
  brush.strokeText(text, x, y);
  brush.fillStyle = colour;
  brush.fillText(text, x, y);
}

// Where the rim is dragged by a finger: outside it, so that the finger does not lie on the mark.
function knobOf(mark, where = place) {
  const [x, y] = onScreen(mark.points[0], where);
  const away = (rimOf(mark, where) + KNOB) * Math.SQRT1_2;
  return [x + away, y + away];
}

function paintLoupe(point) {
  const scale = Math.min(MAX_SCALE, Math.max(3 * place.scale, 2));
  const gap = LOUPE + 38;
  const x = clamp(point[0], LOUPE, canvas.clientWidth - LOUPE);
  const y = point[1] - gap > LOUPE ? point[1] - gap : point[1] + gap;
  const where = placeFor(onPhoto(point), [x, y], scale);
  brush.save();
  brush.beginPath();
  brush.arc(x, y, LOUPE, 0, 2 * Math.PI);
  brush.clip();
  brush.fillStyle = "#101012";
  brush.fill();
  paintPhoto(where);
  if (!isHidden()) paintMarks(where);
  brush.restore();
  const ring = new Path2D();
  ring.arc(x, y, LOUPE, 0, 2 * Math.PI);
  stroke(ring, "#e8e6e1", {});
  stroke(new Path2D(`M${x - 9} ${y}h6m6 0h6M${x} ${y - 9}v6m0 6v6`), "#e8e6e1", { isThin: true });
}
