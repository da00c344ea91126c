// What every benchmark of the swarm says and does: its line, its rows, and the wait until nobody lacks anything.
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { work, now, until, sleep, nodes } = require('./nodes');

const [mode, count, minutes, ...wanted] = process.argv.slice(4);
const full = mode === 'full';
/** How long verdicts are watched. */
const WATCHED_SECONDS = Number(minutes) * 60;
/** How many there are; what anchors-swarm.md wants of so many. */
const N = Number(count);
const wants = (three, ten, fifty) => ({ 3: three, 10: ten, 50: fifty })[N];
/** Who waits for something on each of many nodes looks so often, in ms: the looking must not be what takes the time. */
const GLANCE = Math.max(10, 3 * N);

function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
}

function line(name, ours, peer, target, ratio) {
  const shown = (value) => (typeof value === 'number' ? value.toFixed(value < 100 ? 1 : 0) : value ?? '-');
  console.log([name.padEnd(54), shown(ours).padStart(9), shown(peer).padStart(22), shown(target).padStart(9),
    (ratio ?? (typeof ours === 'number' && peer > 0 ? (ours / peer).toFixed(2) : '-')).padStart(7)].join(' '));
}

// Writes keys prefix-0, prefix-1 and so on, 64 at a time; answers how many a second.
async function fill(one, prefix, count, value) {
  const begin = now();
  let next = 0;
  await Promise.all(Array.from({ length: 64 }, async () => {
    for (let i = next++; i < count; i = next++) await one.put(`${prefix}-${i}`, value(i));
  }));
  return count / ((now() - begin) / 1000);
}

// Until no node lacks anything of another, as they say themselves; then it is proven row by row.
async function settled(patience) {
  let lacking = '';
  await until('nobody lacks anything', patience, async () => {
    for (const one of nodes) {
      const [up, behind, ahead] = await one.metrics(['fazt_peer_up', 'fazt_peer_behind_changes', 'fazt_peer_ahead_changes']);
      lacking = `${one.name} has ${up} links, its peers are ${behind} behind, and it ${ahead}`;
      if (up < nodes.length - 1 || behind > 0 || ahead !== 0) return false;
    }
    return true;
  }, 20).catch((late) => { throw new Error(`${late.message}: ${lacking}`); });
}

const proven = () => nodes[0].cli('swarm', 'verify');

const MIB = 1 << 20;

// A folder of files of random bytes.
function folder(name, count, size) {
  const made = path.join(work, name);
  fs.mkdirSync(made);
  for (let i = 0; i < count; i++) fs.writeFileSync(path.join(made, `file-${i}`), crypto.randomBytes(size));
  return made;
}

function edit(file, insert) {
  const bytes = fs.readFileSync(file);
  const middle = bytes.length >> 1;
  const change = crypto.randomBytes(100);
  fs.writeFileSync(file, Buffer.concat([bytes.subarray(0, middle), change, bytes.subarray(middle + (insert ? 0 : 100))]));
}

// At most nine of them, by chance: each polls every millisecond, and more would measure that.
function some(of) {
  const left = [...of];
  return Array.from({ length: Math.min(9, left.length) }, () => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
}

// Rows of 200 bytes, ten a second, each committed on one node and read on each other, or some, by a reader that polls; milliseconds.
async function propagation(name, count) {
  const took = [];
  const value = 'x'.repeat(200);
  for (let i = -20; i < count; i++) {
    const writer = nodes[Math.floor(Math.random() * nodes.length)];
    const key = `${name}-${i}`;
    await writer.put(key, value);
    const begin = now();
    const others = nodes.filter((one) => one !== writer);
    // To be warm all have to be read.
    await Promise.all((i < 0 ? others : some(others)).map(async (one) => {
      await until(`${key} on ${one.name}`, 20000, async () => (await one.read(key)) === value, i < 0 ? GLANCE : 1);
      if (i >= 0) took.push(now() - begin);
    }));
    await sleep(Math.max(0, 100 - (now() - begin)));
  }
  return took;
}

// Counts the verdicts of dead about those who are well, by them or by some of them, ten times a second, until told to stop.
function wrongVerdicts(healthy, telling = healthy) {
  const said = new Set();
  let [wrong, watching] = [0, true];
  const watcher = (async () => {
    while (watching) {
      for (const one of telling) {
        const states = await one.states();
        for (const other of healthy) {
          const key = `${one.name} ${other.name}`;
          if (states[other.name] !== 'dead') said.delete(key);
          else if (!said.has(key)) { said.add(key); wrong++; }
        }
      }
      await sleep(100);
    }
  })();
  return async () => { watching = false; await watcher; return wrong; };
}

module.exports = { wanted, full, WATCHED_SECONDS, N, wants, GLANCE, some, quantile, line, fill, settled, proven, propagation, wrongVerdicts, MIB, folder, edit };
