// A new node in a swarm that holds much and is written to, killed while it fills.
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { work, sleep, now, kill, until, ask, nodes, loopback, node } = require('./nodes');
const { has, syncthing } = require('./peers');
const { full, quantile, line, fill, settled, proven, MIB } = require('./figures');

/** What a person's cartridge has: nine tenths files, of which most bytes are in large ones, and a tenth rows. */
const SITES = full ? 10 : 1;
const ROWS = full ? 100000 : 10000;
const KINDS = [['large', 8, 8 * MIB], ['small', 200, MIB / 8]];
const SIZE = SITES * KINDS.reduce((sum, [, count, size]) => sum + count * size, 0) + ROWS * 1000;

// Fifty writes a second, each to one of some nodes and when it is due, until told to stop: how long each took.
function writing(some, name) {
  const took = [];
  let due = now();
  let going = true;
  const ended = (async () => {
    const under = new Set();
    for (let i = 0; going; i++) {
      await sleep(Math.max(0, (due += 20) - now()));
      const begin = now();
      const one = some[i % some.length].put(`${name}-${i}`, 'x'.repeat(100)).then(() => took.push(now() - begin));
      under.add(one);
      one.finally(() => under.delete(one));
    }
    await Promise.all(under);
  })();
  return async () => { going = false; await ended; return took; };
}

// Bytes that these sent to members, ever.
const sent = async (some) => (await Promise.all(some.map((one) => one.metric('fazt_link_sent_bytes_total'))))
  .reduce((sum, each) => sum + each);

async function theirs() {
  if (!has('syncthing')) return undefined;
  const [a, b] = await syncthing();
  const rest = (one, target) => ask({ port: one.gui }, 'POST', target, { headers: { 'x-api-key': 'bench' } });
  // It hashes what it has before there is anybody to give it to, as ours has.
  await rest(a, '/rest/system/pause');
  const whole = fs.openSync(path.join(a.folder, 'whole'), 'w');
  for (let left = SIZE; left > 0; left -= MIB) fs.writeSync(whole, crypto.randomBytes(Math.min(left, MIB)));
  fs.closeSync(whole);
  await rest(a, '/rest/db/scan?folder=bench');
  const begin = now();
  await rest(a, '/rest/system/resume');
  const there = path.join(b.folder, 'whole');
  await until('the file is on syncthing b', 600000, () => fs.existsSync(there) && fs.statSync(there).size === SIZE, 20);
  const took = (now() - begin) / 1000;
  await Promise.all([a, b].map((one) => kill(one.child)));
  return took;
}

module.exports = {
  // From its join to the last byte, but for the time that it was not there.
  async B8() {
    for (let site = 0; site < SITES; site++) {
      const made = path.join(work, `site-${site}`);
      fs.mkdirSync(made);
      for (const [kind, count, size] of KINDS) {
        for (let i = 0; i < count; i++) fs.writeFileSync(path.join(made, `${kind}-${i}`), crypto.randomBytes(size));
      }
      await nodes[0].cli('app', 'deploy', made, '--name', `b8-${site}`);
      fs.rmSync(made, { recursive: true });
    }
    await fill(nodes[0], 'b8', ROWS, () => 'x'.repeat(1000));
    await settled(600000);
    await until('all blobs are everywhere', 600000, async () => {
      for (const one of nodes) if ((await one.metric('fazt_blobs_missing')) !== 0) return false;
      return true;
    }, 100);

    const others = [...nodes];
    const quiet = writing(others, 'b8-before');
    await sleep(10000);
    const before = await quiet();

    const [place] = await loopback(1);
    const newcomer = node('new', place);
    await newcomer.start();
    const busy = writing(others, 'b8-while');
    const token = (await others[0].cli('swarm', 'token')).trim();
    const sentBefore = await sent(others);
    const begin = now();
    const joined = newcomer.cli('swarm', 'join', token);
    await joined;
    await until('half of it is there', 600000, async () => (await sent(others)) - sentBefore > SIZE / 2, 10);
    const killed = now();
    await kill(newcomer.child);
    await newcomer.start();
    const again = now();
    const [lastFile, lastRow] = [`${KINDS[1][0]}-${KINDS[1][1] - 1}`, `b8-${ROWS - 1}`];
    await until('the new one has everything', 600000, async () => (await newcomer.metric('fazt_blobs_missing')) === 0
      && (await newcomer.read(lastRow).catch(() => null))?.length === 1000
      && (await newcomer.file(`b8-${SITES - 1}`, lastFile))?.length === KINDS[1][2], 20);
    const end = now();
    const beyond = (await sent(others)) - sentBefore - SIZE;
    const during = await busy();
    nodes.push(newcomer);
    await settled(600000);
    await proven();
    const peer = await theirs();

    const seconds = (end - begin - (again - killed)) / 1000;
    line(`B8 new node, ${Math.round(SIZE / 1e6)} MB, killed once, MB/s (syncthing)`, SIZE / 1e6 / seconds, peer && SIZE / 1e6 / peer, 60);
    line('B8 the same, with the start anew, s', (end - begin) / 1000, undefined, undefined);
    line('B8 sent to it beyond its size, %', (beyond * 100) / SIZE, undefined, 5);
    line('B8 50 writes/s by the others before, p99, ms', quantile(before, 0.99), undefined, undefined);
    line('B8 the same meanwhile, p99, ms', quantile(during, 0.99), undefined, 50);
  },
};
