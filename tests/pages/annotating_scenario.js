// Follows annotating_marks.js: changes, undo, proposals and saving, against a server made up here.
const assert = require("assert");
const showAll = () => {};
const entry = newEntry(0, { file: "a.png", width: 40, height: 60 });
const mole = { kind: "mole", points: [[50, 20.123]], diameter: null, sure: true };
const sent = [];
let answers = [];
globalThis.setTimeout = (go) => queueMicrotask(go);
globalThis.fetch = async (address, options) => {
  sent.push({ address, ...JSON.parse(options.body) });
  const next = answers.shift() ?? { before: `r${sent.length}` };
  if (next === "gone") throw new TypeError("refused");
  return { ok: !next.status, status: next.status, json: async () => next, headers: new Map([["Content-Type", "application/json"]]) };
};
const settled = async () => { for (let i = 0; i < 60; i++) await null; };
(async () => {
  assert.ok(!undo(entry), "nothing to undo");
  addMark(entry, mole);
  await settled();
  assert.deepEqual(sent, [{ address: "marks/0", marks: [{ ...mole, points: [[40, 20.12]] }], crowded: [], done: false, before: "" }]);
  assert.equal(addMark(entry, { ...mole }), null, "the same mark twice");
  const changed = replaceMark(entry, mole, { sure: false });
  entry.proposals = [{ id: 0, kind: "spot", points: [[5, 5]], diameter: 2.04, score: 1 }, { id: 1, kind: "spot", points: [[9, 9]], diameter: 3, score: 1 }];
  acceptProposals(entry, [entry.proposals[0]]);
  rejectProposals(entry, openProposals(entry));
  assert.deepEqual(entry.now.marks.at(-1), { kind: "spot", points: [[5, 5]], diameter: 2, sure: true });
  assert.equal(openProposals(entry).length, 0);
  undo(entry);
  undo(entry);
  assert.equal(openProposals(entry).length, 2);
  assert.deepEqual(entry.now.marks, [changed]);
  redo(entry);
  assert.equal(entry.now.marks.length, 2);
  removeItem(entry, changed);
  assert.ok(!redo(entry), "a change ends what could be redone");
  await settled();
  assert.equal(sent.at(-1).before, `r${sent.length - 1}`);
  assert.equal(sent.at(-1).marks.length, 1);
  // What cannot be saved is sent again, with what was changed meanwhile.
  answers = ["gone", { status: 500, error: "full" }];
  change(entry, { marks: [] });
  change(entry, { done: true });
  await settled();
  assert.deepEqual([sent.at(-1).marks, sent.at(-1).done, entry.isDirty, entry.trouble], [[], true, false, ""]);
  // What somebody else changed is not written over.
  answers = [{ status: 409, error: "elsewhere" }];
  const count = sent.length;
  addMark(entry, mole);
  addMark(entry, { ...mole, kind: "scar" });
  await settled();
  assert.deepEqual([sent.length, entry.isDirty, entry.isElsewhere, entry.trouble], [count + 1, true, true, "elsewhere"]);
  const line = { kind: "wrinkle", points: [[0, 0], [30, 0]], diameter: null };
  assert.ok(isMarked({ kind: "wrinkle", points: [[1, 2], [15, 3]], diameter: 1 }, [line]));
  assert.ok(!isMarked({ kind: "wrinkle", points: [[1, 20], [15, 30]], diameter: 1 }, [line]));
  assert.ok(!isMarked({ kind: "mole", points: [[1, 2]], diameter: 1 }, [line]));
})().catch((error) => { console.error(error); process.exit(1); });
