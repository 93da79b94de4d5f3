// Answers questions by the module, as playground-native does natively: node module.mjs MODULE < QUESTIONS > ANSWERS
import { readFileSync, writeSync } from 'node:fs';

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const text = (at, length) => new TextDecoder().decode(new Uint8Array(exports.memory.buffer, at >>> 0, length));
const tell = (at, length) => {
  const told = JSON.parse(text(at, length));
  if (told.panic) console.error(told.panic);
};
const { exports } = new WebAssembly.Instance(module, { coroner: { tell } });

for (const question of readFileSync(0, 'utf8').split('\n').filter((line) => line)) {
  const bytes = new TextEncoder().encode(question);
  const at = exports.question(bytes.length) >>> 0;
  new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
  const length = exports.answer();
  const answer = Buffer.from(text(exports.answer_at(), length) + '\n');
  for (let written = 0; written < answer.length; ) written += writeSync(1, answer, written);
}
