// The swarm's figures, three nodes as processes on loopback: node swarm.js FAZT WORK quick|full [B1 B3 ...]
// serf and etcd run beside them, after them, on the same machine in the same run.
const { spawn, execFileSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const path = require('path');

const [fazt, work, mode, ...wanted] = process.argv.slice(2);
const full = mode === 'full';
const processes = new Set();
process.on('exit', () => processes.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const now = () => Number(process.hrtime.bigint()) / 1e6;
const agent = new http.Agent({ keepAlive: true });

function spawned(command, words, log) {
  const out = fs.openSync(log, 'a');
  const child = spawn(command, words, { stdio: ['ignore', out, out] });
  fs.closeSync(out);
  processes.add(child);
  child.ended = new Promise((done) => child.on('exit', () => { processes.delete(child); done(); }));
  return child;
}

async function kill(child) {
  child.kill('SIGKILL');
  await child.ended;
}

async function until(what, patience, condition, every = 20) {
  const end = now() + patience;
  for (;;) {
    if (await condition()) return;
    if (now() > end) throw new Error(`${what}: not within ${patience / 1000} s`);
    await sleep(every);
  }
}

function freePort() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

function ask(port, method, target, { headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const request = http.request(
      { host: '127.0.0.1', port, method, path: target, agent, timeout: 60000,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers } },
      (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', failed);
        answer.on('end', () => {
          const said = Buffer.concat(parts).toString();
          if (answer.statusCode >= 300) failed(new Error(`${method} ${target}: ${answer.statusCode} ${said}`));
          else done(said ? JSON.parse(said) : null);
        });
      });
    request.on('timeout', () => request.destroy(new Error(`${method} ${target}: no answer in 60 s`)));
    request.on('error', failed);
    request.end(text);
  });
}

const nodes = [];
const node = (name) => ({
  name,
  async start() {
    const db = path.join(work, `${name}.db`);
    const log = path.join(work, `${name}.log`);
    fs.rmSync(log, { force: true });
    this.child = spawned(fazt, ['server', 'start', '--db', db, '--port', '0', '--name', name,
      '--swarm-port', String(this.swarmPort ??= await freePort())], log);
    await until(`${name} is ready`, 120000, () => {
      if (this.child.exitCode !== null) throw new Error(`${name} ended: ${fs.readFileSync(log)}`);
      return /^ready/m.test(fs.readFileSync(log, 'utf8'));
    });
    const run = JSON.parse(fs.readFileSync(`${db}.run`, 'utf8'));
    this.port = Number(run.http.split(':').pop());
    this.token = run.token;
    this.db = db;
  },
  async api(method, target, body) {
    return (await ask(this.port, method, target, { headers: { authorization: `Bearer ${this.token}` }, body }))?.data;
  },
  async states() {
    return Object.fromEntries((await this.api('GET', '/api/swarm/status')).members.map((m) => [m.name, m.state]));
  },
  put(key, value) {
    return ask(this.port, 'POST', '/api/put', { headers: { host: 'bench.localhost' }, body: { key, value } });
  },
  async read(key) {
    return (await ask(this.port, 'GET', `/api/${key}`, { headers: { host: 'bench.localhost' } })).value;
  },
});

async function everybodyAlive() {
  for (const one of nodes) {
    await until(`${one.name} sees everybody alive and a quorum`, 120000, async () => {
      const status = await one.api('GET', '/api/swarm/status');
      return status.quorum && status.leader && status.members.filter((m) => m.state === 'alive').length === nodes.length;
    }, 200);
  }
}

async function swarm() {
  for (const name of ['a', 'b', 'c']) {
    const one = node(name);
    await one.start();
    nodes.push(one);
  }
  const fz = (...words) => execFileSync(fazt, [...words, '--db', nodes[0].db], { encoding: 'utf8' });
  fz('swarm', 'init', '--name', 'bench');
  for (const one of nodes.slice(1)) {
    const invitation = fz('swarm', 'token').trim();
    execFileSync(fazt, ['swarm', 'join', invitation, '--db', one.db], { encoding: 'utf8' });
  }
  await everybodyAlive();
  fz('app', 'deploy', path.join(__dirname), '--name', 'bench');
  for (const one of nodes) {
    await until(`the app answers on ${one.name}`, 60000, () => one.read('warm').then(() => true, () => false), 200);
  }
}

function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
}

function line(name, ours, peer, target, ratio) {
  const shown = (value) => (typeof value === 'number' ? value.toFixed(value < 100 ? 1 : 0) : value ?? '-');
  console.log([name.padEnd(46), shown(ours).padStart(9), shown(peer).padStart(22), shown(target).padStart(9),
    (ratio ?? (typeof ours === 'number' && typeof peer === 'number' ? (ours / peer).toFixed(2) : '-')).padStart(7)].join(' '));
}

function has(command) {
  return process.env.PATH.split(':').some((folder) => fs.existsSync(path.join(folder, command)));
}

// Three agents of serf, in its LAN profile as ours is on a LAN.
async function serf() {
  const agents = [];
  for (const name of ['a', 'b', 'c']) {
    const [bind, rpc] = [await freePort(), await freePort()];
    const child = spawned('serf', ['agent', `-node=${name}`, `-bind=127.0.0.1:${bind}`, `-rpc-addr=127.0.0.1:${rpc}`,
      '-profile=lan', ...(agents.length ? [`-join=127.0.0.1:${agents[0].bind}`] : [])], path.join(work, `serf-${name}.log`));
    const one = { name, bind, rpc, child };
    one.log = () => fs.readFileSync(path.join(work, `serf-${name}.log`), 'utf8');
    agents.push(one);
    await until(`serf ${name} answers`, 20000, () => {
      try {
        return execFileSync('serf', ['members', `-rpc-addr=127.0.0.1:${rpc}`], { encoding: 'utf8', stdio: 'pipe' })
          .split('\n').filter((row) => row.includes('alive')).length === agents.length;
      } catch { return false; }
    }, 200);
  }
  return agents;
}

const benchmarks = {
  // Committed on one node, ten a second, to read on each other node, by a reader that polls.
  async B1() {
    const count = full ? 600 : 100;
    const took = [];
    const value = 'x'.repeat(200);
    for (let i = -20; i < count; i++) {
      const writer = nodes[Math.floor(Math.random() * nodes.length)];
      const key = `b1-${i}`;
      await writer.put(key, value);
      const begin = now();
      await Promise.all(nodes.filter((one) => one !== writer).map(async (one) => {
        await until(`${key} on ${one.name}`, 20000, async () => (await one.read(key)) === value, 1);
        if (i >= 0) took.push(now() - begin);
      }));
      await sleep(Math.max(0, 100 - (now() - begin)));
    }
    let peer = [];
    if (has('serf')) {
      const agents = await serf();
      const seen = path.join(work, 'serf-seen');
      fs.writeFileSync(seen, '');
      const watchers = agents.map((one) =>
        spawned('serf', ['monitor', '-log-level=err', `-rpc-addr=127.0.0.1:${one.rpc}`], path.join(work, `watch-${one.name}`)));
      await sleep(1000);
      for (let i = 0; i < (full ? 200 : 30); i++) {
        const from = i % agents.length;
        execFileSync('serf', ['event', '-coalesce=false', `-rpc-addr=127.0.0.1:${agents[from].rpc}`, `e${i}-`, value]);
        const begin = now();
        await Promise.all(agents.map(async (one, at) => {
          if (at === from) return;
          await until(`event ${i} on serf ${one.name}`, 20000,
            () => fs.readFileSync(path.join(work, `watch-${one.name}`), 'utf8').includes(`e${i}-`), 1);
          peer.push(now() - begin);
        }));
      }
      await Promise.all([...watchers, ...agents.map((one) => one.child)].map(kill));
    } else console.log('B1: serf is not installed (apt-get install serf): its figure is left out');
    line('B1 propagation, N=3, p50, ms (serf)', quantile(took, 0.5), peer.length ? quantile(peer, 0.5) : undefined, 10);
    line('B1 propagation, N=3, p99, ms (serf)', quantile(took, 0.99), peer.length ? quantile(peer, 0.99) : undefined, 40);
  },

  // kill -9 until every live node says so.
  async B3() {
    const tries = full ? 20 : 3;
    const [suspect, dead, peer] = [[], [], []];
    for (let i = 0; i < tries; i++) {
      const victim = nodes[1 + (i % 2)];
      const live = nodes.filter((one) => one !== victim);
      await kill(victim.child);
      const begin = now();
      await Promise.all(live.map(async (one) => {
        await until(`${one.name} suspects ${victim.name}`, 60000, async () => (await one.states())[victim.name] !== 'alive', 10);
        suspect.push(now() - begin);
        await until(`${one.name} says ${victim.name} is dead`, 60000,
          async () => (await one.states())[victim.name] === 'dead', 10);
      }));
      dead.push(now() - begin);
      await victim.start();
      await everybodyAlive();
    }
    if (has('serf')) {
      for (let i = 0; i < tries; i++) {
        const agents = await serf();
        await sleep(2000);
        const [victim, ...live] = [agents[2], agents[0], agents[1]];
        await kill(victim.child);
        const begin = now();
        for (const one of live) {
          await until(`serf ${one.name} says ${victim.name} failed`, 60000,
            () => one.log().includes(`EventMemberFailed: ${victim.name}`), 10);
        }
        peer.push(now() - begin);
        await Promise.all(live.map((one) => kill(one.child)));
      }
    } else console.log('B3: serf is not installed (apt-get install serf): its figure is left out');
    line(`B3 kill -9 to suspect, N=3, worst of ${tries}, s`, Math.max(...suspect) / 1000, undefined, 0.3);
    line(`B3 kill -9 to dead, N=3, worst of ${tries}, s (serf)`, Math.max(...dead) / 1000,
      peer.length ? Math.max(...peer) / 1000 : undefined, 4);
  },

  // Verdicts of dead about a node that stood still for 1 to 8 s, among those that did not.
  async B4() {
    const end = now() + (full ? 30 * 60000 : 30000);
    let wrong = 0;
    let stops = 0;
    const victim = nodes[2];
    const healthy = nodes.slice(0, 2);
    let watching = true;
    const watcher = (async () => {
      const said = new Set();
      while (watching) {
        for (const one of healthy) {
          const states = await one.states();
          for (const other of healthy) {
            const key = `${one.name}${other.name}`;
            if (states[other.name] !== 'dead') said.delete(key);
            else if (!said.has(key)) { said.add(key); wrong++; }
          }
        }
        await sleep(100);
      }
    })();
    // The launcher becomes Java by exec: the signal meets the node itself.
    while (now() < end) {
      victim.child.kill('SIGSTOP');
      await sleep(1000 + Math.random() * 7000);
      victim.child.kill('SIGCONT');
      stops++;
      await sleep(2000);
    }
    watching = false;
    await watcher;
    await everybodyAlive();
    line(`B4 dead among healthy, N=3, ${stops} stops of the third`, String(wrong), undefined, '0');
  },

  async B11() {
    const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
    let peer;
    if (has('serf')) {
      const agents = await serf();
      await sleep(full ? 10000 : 2000);
      peer = Math.max(...agents.map((one) => rss(one.child.pid)));
      await Promise.all(agents.map((one) => kill(one.child)));
    } else console.log('B11: serf is not installed (apt-get install serf): its figure is left out');
    line('B11 resident, 2 peers, worst node, MB (serf)', Math.max(...nodes.map((one) => rss(one.child.pid))), peer, 150);
  },

  // With a quorum, what the swarm agrees on; without, data: every write is taken.
  async B16() {
    const count = full ? 500 : 50;
    const [ours, theirs] = [[], []];
    for (let i = -10; i < count; i++) {
      const begin = now();
      await nodes[0].api('PUT', `/api/aliases/b16-${i + 10}`, { app: 'bench' });
      if (i >= 0) ours.push(now() - begin);
    }
    if (has('etcd')) {
      const members = [];
      for (const name of ['a', 'b', 'c']) members.push({ name, client: await freePort(), peer: await freePort() });
      const cluster = members.map((one) => `${one.name}=http://127.0.0.1:${one.peer}`).join(',');
      for (const one of members) {
        one.child = spawned('etcd', ['--name', one.name, '--data-dir', path.join(work, `etcd-${one.name}`),
          '--listen-client-urls', `http://127.0.0.1:${one.client}`, '--advertise-client-urls', `http://127.0.0.1:${one.client}`,
          '--listen-peer-urls', `http://127.0.0.1:${one.peer}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${one.peer}`,
          '--initial-cluster', cluster], path.join(work, `etcd-${one.name}.log`));
      }
      const put = (i) => ask(members[0].client, 'POST', '/v3/kv/put',
        { body: { key: Buffer.from(`k${i}`).toString('base64'), value: Buffer.from('bench').toString('base64') } });
      await until('etcd answers', 30000, () => put(0).then(() => true, () => false), 200);
      for (let i = -10; i < count; i++) {
        const begin = now();
        await put(i);
        if (i >= 0) theirs.push(now() - begin);
      }
      await Promise.all(members.map((one) => kill(one.child)));
    } else console.log('B16: etcd is not installed (apt-get install etcd-server): its figure is left out');
    line('B16 agreed write with a quorum, p50, ms (etcd)', quantile(ours, 0.5),
      theirs.length ? quantile(theirs, 0.5) : undefined, 25);
    await kill(nodes[1].child);
    await kill(nodes[2].child);
    await until('a has no quorum', 60000, async () => !(await nodes[0].api('GET', '/api/swarm/status')).quorum, 100);
    let taken = 0;
    for (let i = 0; i < count; i++) {
      taken += await nodes[0].put(`b16-${i}`, 'alone').then(() => 1, () => 0);
    }
    line('B16 data writes taken without one, %', (taken * 100) / count, undefined, 100);
    await nodes[1].start();
    await nodes[2].start();
    await everybodyAlive();
  },
};

(async () => {
  const names = wanted.length ? wanted : Object.keys(benchmarks);
  const unknown = names.filter((name) => !benchmarks[name]);
  if (unknown.length) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`);
  // Never one without the other: a fast verdict is bought with wrong ones.
  for (const [one, other] of [['B3', 'B4'], ['B4', 'B3']]) {
    if (names.includes(one) && !names.includes(other)) names.push(other);
  }
  await swarm();
  console.log(`load before: ${fs.readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}`);
  console.log(`${'figure'.padEnd(46)} ${'ours'.padStart(9)} ${'theirs'.padStart(22)} ${'target'.padStart(9)} ${'ratio'.padStart(7)}`);
  for (const name of Object.keys(benchmarks).filter((each) => names.includes(each))) await benchmarks[name]();
  process.exit(0);
})().catch((failure) => {
  console.error(`bench: ${failure.message}`);
  process.exit(1);
});
