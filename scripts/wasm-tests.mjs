// Runs a test program for wasm32-wasip1 in one thread: node wasm-tests.mjs FILE [FILTER...]
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [file, ...filters] = process.argv.slice(2);
const wasi = new WASI({
  version: 'preview1',
  args: ['tests', '--test-threads', '1', ...filters],
  preopens: { '/': '/' },
  returnOnExit: true,
});
const module = await WebAssembly.compile(readFileSync(file));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
