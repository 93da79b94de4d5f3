// The page in headless Chromium: node browser.mjs PAGE [FOLDER for screens and figures]
// Needs chromedriver and Chromium; says so in one line without.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import assert from 'node:assert/strict';

const [file, folder] = process.argv.slice(2);
const browser = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0);
if (!browser || spawnSync('chromedriver', ['--version']).status !== 0) {
  console.log('skipped: no chromium with chromedriver (apt-get install chromium chromium-driver)');
  process.exit(0);
}
if (folder) mkdirSync(folder, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), 'playground-'));
const driver = spawn('chromedriver', ['--port=0'], { stdio: ['ignore', 'pipe', 'ignore'] });
const port = await new Promise((found, failed) => {
  let said = '';
  driver.stdout.on('data', (part) => {
    said += part;
    const match = /successfully on port (\d+)/.exec(said);
    if (match) found(match[1]);
  });
  driver.on('exit', () => failed(new Error('chromedriver ended')));
});

let session = '';
async function command(path, body, method = 'POST') {
  const request = { method };
  if (method === 'POST') request.body = JSON.stringify(body ?? {});
  const answer = await (await fetch(`http://127.0.0.1:${port}/session${session}${path}`, request)).json();
  if (answer.value?.error) throw new Error(`${path}: ${answer.value.message}`);
  return answer.value;
}
const run = (code, ...args) => command('/execute/sync', { script: code, args });
async function until(code, what, limit = 10_000) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await run(`return (() => { ${code} })()`);
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${limit / 1000} s: ${what}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
async function keys(...names) {
  const actions = names.flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }]);
  await command('/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
}
const [PAGE_DOWN, LEFT, RIGHT, HOME] = ['\ue00f', '\ue012', '\ue014', '\ue011'];
async function screen(name, [width, height] = [1360, 1500], scheme = 'light') {
  if (!folder) return;
  await command('/window/rect', { width, height });
  await devtools('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
  await new Promise((wake) => setTimeout(wake, 400));
  writeFileSync(join(folder, `${name}.png`), Buffer.from(await command('/screenshot', undefined, 'GET'), 'base64'));
}
const devtools = (cmd, params = {}) => command('/goog/cdp/execute', { cmd, params });
// Types a text into the field as a paste does, and waits for the answer to it.
async function type(text) {
  const before = await run('return playground.answers || 0');
  await run(`const field = document.getElementById('text'); field.focus(); field.select();
    document.execCommand('insertText', false, arguments[0]);`, text);
  return before;
}
const answered = (before) => until(`return (playground.answers || 0) > ${before}`, 'an answer');
const pictured = (before) => until(`return (playground.pictures || 0) > ${before}`, 'a picture');
const pictures = () => run('return playground.pictures || 0');
const choose = (name, value) => run(`const select = document.getElementById(arguments[0]); select.value = arguments[1];
  select.dispatchEvent(new Event('change', { bubbles: true }));`, name, value);
const message = () => run(`return document.getElementById('message').textContent`);
const median = (all) => all.sort((a, b) => a - b)[all.length >> 1];

const figures = {};
async function step(what, act) {
  const start = Date.now();
  await act();
  console.log(`ok: ${what} (${Date.now() - start} ms)`);
}

const url = 'file://' + resolve(file);
try {
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--window-size=1360,1500',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', `--user-data-dir=${profile}`];
  const started = await command('', { capabilities: { alwaysMatch: {
    browserName: 'chrome', 'goog:chromeOptions': { binary: spawnSync('which', [browser]).stdout.toString().trim(), args },
    'goog:loggingPrefs': { performance: 'ALL', browser: 'ALL' },
  } } });
  session = '/' + started.sessionId;

  await step('the first page says what broke, and where', async () => {
    await command('/url', { url });
    await until('return playground.times.first', 'the first answer');
    figures['first answer, ms'] = Math.round(await run('return playground.times.first'));
    const summary = await run(`return document.getElementById('summary').textContent`);
    assert.match(summary, /I15 no-callback-from-trash: .*Broken by the collector of 2\.7\.0 to 3\.7\.6.*Not by 3\.8\.0 to 3\.15\.0/);
    await pictured(0);
    await until('return playground.row !== undefined', 'a row of the picture');
    await screen('first');
    await screen('first-dark', [1360, 1500], 'dark');
    await screen('first-narrow', [480, 1800]);
    await command('/window/rect', { width: 1360, height: 1500 });
  });

  await step('a mistake has its message at its line', async () => {
    await type('coroner 1\na = Node()\nb = Nod()\ndel a\n');
    await until(`return document.getElementById('message').className === 'error'`, 'a message');
    assert.match(await message(), /Nod/);
    assert.equal(await run(`return document.querySelector('#gutter .wrong').textContent`), '3');
    assert.ok(await run(`return document.getElementById('matrix').classList.contains('stale')`));
    await screen('mistake');
    // A link holds the text as it is, mistake and all.
    await run(`document.getElementById('copy-link').click()`);
    const link = await until(`return document.getElementById('copied-text').value`, 'a link');
    await run(`document.getElementById('copied').close()`);
    assert.match(link, /^#1\.[\w-]+\.\.$/);
    const before = await type('coroner 1\na = Node()\nb = Node()\ndel a\n');
    await answered(before);
    assert.equal(await message(), '');
  });

  await step('the hostile scenario is refused at its line, and the page goes on', async () => {
    const start = Date.now();
    await type('coroner 1\nb = Node()\na = knots(10000000, Node())\ncollect(2)\n');
    await until(`return document.querySelector('#gutter .wrong')?.textContent === '3'`, 'the refusal', 3000);
    figures['hostile scenario refused, ms'] = Date.now() - start;
    assert.match(await message(), /10000001 objects, and the limit is 100000/);
    await answered(await type('coroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n'));
  });

  await step('a worker that hangs is ended, and the page goes on', async () => {
    // More work than the limit of three seconds allows, within the limit of objects.
    const heavy = 'coroner 1\ndef A():\n    collect(2)\n\nb = knots(90000, Node())\nrepeat(250, A)\n';
    const start = Date.now();
    await type(heavy);
    await until(`return /stopped: no answer/.test(document.getElementById('message').textContent)`, 'the end', 6000);
    figures['hanging worker ended, ms'] = Date.now() - start;
    const before = await type('coroner 1\na = Node()\na[0] = a\ndel a\ncollect(2)\n');
    await answered(before);
    assert.equal(await message(), '');
  });

  await step('phases are stepped through by keys, and 3.14 stands beside 3.15', async () => {
    const before = await pictures();
    await choose('example', 'C01-bpo-38006-A05');
    await pictured(before);
    const chosen = await pictures();
    await choose('first', 'cpython-3.14.5');
    await pictured(chosen);
    const alone = await pictures();
    await choose('second', 'cpython-3.15.0');
    await pictured(alone);
    await new Promise((wake) => setTimeout(wake, 500));
    assert.match(await run(`return document.getElementById('differences').textContent`), /3\.15\.0 that 3\.14\.5/);
    await run(`document.getElementById('why-title').focus()`);
    await keys(HOME);
    await until('return playground.row === 0', 'the first row');
    await keys(RIGHT, RIGHT, LEFT);
    await until('return playground.row === 1', 'one row on');
    await keys(PAGE_DOWN);
    const phase = await until('return playground.row > 1 && playground.row', 'a phase');
    await keys('d');
    const difference = await until(`return playground.row !== ${phase} && playground.row`, 'the first difference');
    assert.ok(difference > 0);
    assert.ok(await run(`return document.querySelector('#gutter .lit') !== null`));
    await screen('beside', [1360, 2300]);
    // What the frame shows is the picture twice, at the same row.
    await command('/frame', { id: await command('/element', { using: 'css selector', value: '#picture' }) });
    assert.equal(await run('return document.querySelectorAll("figure").length'), 2);
    assert.equal(Number(await run('return document.body.dataset.row')), difference);
    await command('/frame', { id: null });
  });

  await step('a permalink brings back text, collectors, row and outcome', async () => {
    const row = await run('return playground.row');
    await until(`return playground.link && location.hash === playground.link`, 'the address');
    await new Promise((wake) => setTimeout(wake, 700));
    const link = await run('return location.hash');
    const text = await run(`return document.getElementById('text').value`);
    await command('/url', { url: 'about:blank' });
    await command('/url', { url: url + link });
    await until(`return window.playground?.row === ${row}`, 'the row of the link');
    assert.equal(await run(`return document.getElementById('text').value`), text);
    assert.deepEqual(await run(`return [document.getElementById('first').value, document.getElementById('second').value]`),
      ['cpython-3.14.5', 'cpython-3.15.0']);
    assert.ok(await run(`return document.getElementById('notice').hidden`));
    // Another digest: the model has changed.
    const [version, packed, runs, digests] = link.split('.');
    const other = (digests[0] === 'A' ? 'B' : 'A') + digests.slice(1);
    await command('/url', { url: 'about:blank' });
    await command('/url', { url: url + [version, packed, runs, other].join('.') });
    await until(`return /model has changed/.test(document.getElementById('notice').textContent)`, 'the notice');
    await screen('changed');
    for (const broken of ['#1.AAAA', '#2.AAAA', '#1.%00', '#1']) {
      await command('/url', { url: 'about:blank' });
      await command('/url', { url: url + broken });
      await until(`return /cannot be read/.test(document.getElementById('notice').textContent)`, `a notice about ${broken}`);
      await until('return playground.times.first', 'the page works');
    }
  });

  await step('nothing of a text becomes markup or is run', async () => {
    await run('window.hacked = false');
    const evil = '<img src=x onerror="window.hacked=true"></script><script>window.hacked=true</script>';
    const before = await pictures();
    const at = await type(`coroner 1\nbug: ${evil}\nnote: ${evil}\n\n# ${evil}\na = Node()\na[0] = a\ndel a\ncollect(2)\n`);
    await answered(at);
    await pictured(before);
    await new Promise((wake) => setTimeout(wake, 400));
    await type(`coroner 1\n${evil}\n`);
    await until(`return document.getElementById('message').className === 'error'`, 'a message');
    assert.equal(await run('return window.hacked'), false);
    assert.equal(await run(`return document.querySelectorAll('img').length`), 0);
  });

  await step('a variant stands beside its row', async () => {
    const before = await run('return playground.answers');
    await choose('example', 'C01c-bpo-38006-smallest');
    await answered(before);
    await choose('variant-row', 'cpython-3.8.0');
    await choose('variant-switch', 'clear-trash-weakrefs');
    const now = await run('return playground.answers');
    await run(`document.querySelector('#variant button').click()`);
    await answered(now);
    const chip = `[data-collector="cpython-3.8.0-clear-trash-weakrefs"]`;
    assert.match(await run(`return document.querySelector('${chip}').closest('tr').textContent`), /I15 collector/);
    await screen('variant');
  });

  await step('a violation is found, and made small; copies are made', async () => {
    await choose('find-invariant', 'I15');
    await choose('find-row', 'cpython-3.7.6');
    await run(`document.querySelector('#find button').click()`);
    await until(`return /^found: scenario \\d+ of seed 1/.test(document.getElementById('work').textContent)`, 'a find');
    await until(`return !document.getElementById('small-invariant').closest('form').querySelector('button').disabled`, 'violations');
    await choose('small-invariant', 'I15');
    await run(`document.querySelector('#small button').click()`);
    await until(`return /no reduction makes it smaller/.test(document.getElementById('work').textContent)`, 'a small one');
    figures['made small, ms'] = Math.round(await run('return playground.times.small'));
    await until(`return document.getElementById('text').value.split('\\n').length < 20`, 'the text');
    await until(`return document.querySelector('.chip.first').dataset.collector === 'cpython-3.7.6'`, 'the row');
    await screen('small');
    for (const [button, wanted] of [['markdown', /^```\ncoroner 1[^]*\| collectors \|/], ['python', /import gc/], ['scn', /^coroner 1/]]) {
      await run(`document.getElementById('copied-text').value = ''; document.getElementById('copy-${button}').click()`);
      await until(`return document.getElementById('copied-text').value`, button);
      assert.match(await run(`return document.getElementById('copied-text').value`), wanted);
      if (button === 'markdown') await screen('copy');
      await run(`document.getElementById('copied').close()`);
    }
  });

  await step('a search runs until it is stopped', async () => {
    // No collector of 3.15 breaks it: the search goes on.
    await choose('find-invariant', 'I15');
    await choose('find-row', 'cpython-3.13.0');
    await run(`document.getElementById('find-from').value = '0'; document.querySelector('#find button').click()`);
    await new Promise((wake) => setTimeout(wake, 4000));
    figures['scenarios per second'] = await run('return playground.times.find');
    const start = Date.now();
    await run(`document.getElementById('stop').click()`);
    await until(`return /^stopped after/.test(document.getElementById('work').textContent)`, 'the end', 1000);
    figures['stopped, ms'] = Date.now() - start;
  });

  await step('a key press is answered soon', async () => {
    const measured = async (text) => {
      const times = [];
      for (let n = 0; n < 20; n += 1) {
        await answered(await type(text + '#'.repeat(n % 2 + 1) + '\n'));
        times.push(await run('return playground.times.rows'));
      }
      return Math.round(median(times) * 10) / 10;
    };
    const small = 'coroner 1\n' + Array.from({ length: 12 }, (_, n) => `v${n} = Node()\n`).join('') +
      Array.from({ length: 11 }, (_, n) => `v${n}[0] = v${n + 1}\n`).join('') + 'v11[0] = v0\nw = ref(v3)\n' +
      Array.from({ length: 12 }, (_, n) => `del v${n}\n`).join('') + 'collect(2)\n';
    figures['key press at 12 objects, ms'] = await measured(small);
    const lines = Array.from({ length: 80 }, (_, n) => `v${n} = Node()\nv${n}[0] = v${Math.max(0, n - 1)}\ndel v${Math.max(0, n - 1)}\n`);
    figures['key press at 250 lines, ms'] = await measured('coroner 1\n' + lines.join('') + 'w = ref(v79)\ndel v79\ncollect(2)\n');
  });

  await step('links of all regressions without header are short', async () => {
    const names = await run('return [...playground.examples.keys()]');
    const lengths = [];
    for (const name of names) {
      const before = await run('return playground.answers');
      await choose('example', name);
      await answered(before);
      await run(`document.getElementById('copied-text').value = ''; document.getElementById('copy-link').click()`);
      const link = await until(`return document.getElementById('copied-text').value`, 'a link');
      await run(`document.getElementById('copied').close()`);
      lengths.push([link.length, name]);
    }
    lengths.sort((a, b) => b[0] - a[0]);
    figures['longest link'] = lengths[0];
    figures['links over 400'] = lengths.filter(([length]) => length > 400).length + ' of ' + lengths.length;
  });

  await step('no request was made, and nothing went wrong unseen', async () => {
    const entries = await command('/se/log', { type: 'performance' });
    const asked = entries.map((entry) => JSON.parse(entry.message).message)
      .filter(({ method, params }) => method === 'Network.requestWillBeSent' && !/^chrome:/.test(params.documentURL))
      .map(({ params }) => params.request.url)
      .filter((address) => !/^(file:.*playground[^/]*\.html|about:|blob:|data:)/.test(address));
    assert.deepEqual(asked, []);
    const errors = (await command('/se/log', { type: 'browser' })).filter(({ level }) => level === 'SEVERE');
    assert.deepEqual(errors.map(({ message }) => message), []);
  });

  console.log(JSON.stringify(figures, null, 1));
  if (folder) writeFileSync(join(folder, 'figures.json'), JSON.stringify(figures, null, 1) + '\n');
} catch (error) {
  console.error(`failed: ${error.stack}`);
  if (session) {
    const said = await command('/se/log', { type: 'browser' }).catch(() => []);
    said.forEach((entry) => console.error(entry.message));
    await screen('failed').catch(() => {});
  }
  process.exitCode = 1;
} finally {
  if (session) await command('', undefined, 'DELETE').catch(() => {});
  driver.kill();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
