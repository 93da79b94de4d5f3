// Answers questions by the module, as playground-native does natively: node module.mjs MODULE < QUESTIONS > ANSWERS
import { readFileSync, writeSync } from 'node:fs';

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const text = (at, length) => new TextDecoder().decode(new Uint8Array(exports.memory.buffer, at >>> 0, length));
const tell = (at, length) => {
  const told = JSON.parse(text(at, length));
  if (told.panic) console.error(told.panic);
};
const start = () => new WebAssembly.Instance(module, { coroner: { tell } }).exports;
let exports = start();
function ask(question) {
  const bytes = new TextEncoder().encode(question);
  const at = exports.question(bytes.length) >>> 0;
  new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
  const length = exports.answer();
  return text(exports.answer_at(), length);
}

for (const question of readFileSync(0, 'utf8').split('\n').filter((line) => line)) {
  let answer;
  try {
    answer = ask(question);
  } catch {
    // A panic ends the instance.
    exports = start();
    answer = '{"panicked":true}';
  }
  const line = Buffer.from(answer + '\n');
  for (let written = 0; written < line.length; ) written += writeSync(1, line, written);
}
