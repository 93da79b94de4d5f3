// Links: `#1.STATE.DIGESTS`. 1 is the version of the form. STATE is a line of JSON (v: version of the program, c: collector, a: the
// one beside it, n: variants, s: the row of the picture, r: words are not shortened) and the scenario, deflated, base64url. DIGESTS says which collectors had
// the same digest (a18: all of them; a6b12: the first six, the others), and four bytes of each digest.
const LINK_VERSION = "1";
// Words of scenarios, each of which a control character stands for: what is deflated is so short that it has no words of its own yet.
const WORDS = ["coroner 1\n\n", " = Node(", ")\ncollect(2)\n", "collect(2)\n", "\ndel ", "    look()\n", "    pass\n", "():\n", "def ", " = ref(",
  "gc=no", "call=", "finalizer=", " = Slotted(", "] = ", "[0] = ", "[1] = ", "()\n", "    ", "self", " = Instance(", "cpython-3.1", "cpython-3."];
const CONTROLS = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26].map((code) => String.fromCharCode(code));
const shortened = (text) => WORDS.reduce((short, word, at) => short.replaceAll(word, CONTROLS[at]), text);
const lengthened = (text) => CONTROLS.reduce((long, control, at) => long.replaceAll(control, () => WORDS[at]), text);
const MOST_TEXT = 1 << 20;

const toBase64 = (bytes) => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

// What comes out of a stream that bytes go through, at most so many bytes.
async function through(bytes, stream, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > most) {
      reader.cancel();
      throw new Error("it is too long");
    }
    parts.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function writeDigests(digests) {
  const distinct = [...new Set(digests)].slice(0, 26);
  let runs = "", last = null, count = 0;
  const end = () => { if (last !== null) runs += last + (count > 1 ? count : ""); };
  for (const digest of digests) {
    const at = distinct.indexOf(digest);
    const letter = at < 0 ? "_" : String.fromCharCode(97 + at);
    if (letter !== last) {
      end();
      last = letter;
      count = 0;
    }
    count += 1;
  }
  end();
  const bytes = distinct.flatMap((digest) => [0, 2, 4, 6].map((at) => parseInt(digest.slice(at, at + 2), 16)));
  return runs + "." + toBase64(bytes);
}

// Of each collector the first eight digits of its digest, or nothing.
function readDigests(runs, bytes) {
  const all = fromBase64(bytes);
  const digit = (at) => [...all.slice(4 * at, 4 * at + 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const digests = [];
  for (const [, letter, count] of runs.matchAll(/([a-z_])(\d{0,2})/g)) {
    const one = letter === "_" ? null : digit(letter.charCodeAt(0) - 97);
    for (let n = Number(count || 1); n > 0; n -= 1) digests.push(one);
  }
  return digests;
}

async function writeLink(state, text, digests) {
  const isRaw = CONTROLS.some((control) => text.includes(control));
  const head = JSON.stringify(isRaw ? { ...state, r: 1 } : state);
  const bytes = new TextEncoder().encode(head + "\n" + (isRaw ? text : shortened(text)));
  const packed = await through(bytes, new CompressionStream("deflate-raw"), Infinity);
  return ["#" + LINK_VERSION, toBase64(packed), writeDigests(digests)].join(".");
}

// What a link says. Every value is checked: links come from anybody.
async function readLink(fragment) {
  const [version, packed, runs = "", bytes = ""] = fragment.replace(/^#/, "").split(".");
  if (version !== LINK_VERSION) throw new Error("it is of a version that this page does not know");
  const unpacked = await through(fromBase64(packed), new DecompressionStream("deflate-raw"), MOST_TEXT);
  const [head, ...lines] = new TextDecoder().decode(unpacked).split("\n");
  const state = JSON.parse(head);
  const word = (value) => (typeof value === "string" && value.length < 2000 ? value : "");
  return {
    version: word(state.v),
    collector: word(state.c),
    against: word(state.a),
    variants: Array.isArray(state.n) ? state.n.slice(0, 16).map(word).filter((name) => name) : [],
    row: Number.isInteger(state.s) ? state.s : null,
    text: state.r === 1 ? lines.join("\n") : lengthened(lines.join("\n")),
    digests: readDigests(runs, bytes),
  };
}
