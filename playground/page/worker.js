// Answers questions one after the other: see playground/src/exports.rs.
"use strict";
let exports = null;
const read = (at, length) => new TextDecoder().decode(new Uint8Array(exports.memory.buffer, at, length));
self.onmessage = async ({ data }) => {
  try {
    if (data.module) {
      const tell = (at, length) => self.postMessage({ told: read(at >>> 0, length) });
      exports = (await WebAssembly.instantiate(data.module, { coroner: { tell } })).exports;
      self.postMessage({ ready: true });
      return;
    }
    const question = new TextEncoder().encode(data.question);
    // A call may make the memory larger, and then it is another buffer: first the call.
    const at = exports.question(question.length) >>> 0;
    new Uint8Array(exports.memory.buffer, at, question.length).set(question);
    const length = exports.answer();
    const from = exports.answer_at() >>> 0;
    self.postMessage({ answer: read(from, length) });
  } catch (error) {
    self.postMessage({ died: String(error) });
  }
};
