// Fazt's processes on loopback, and what every benchmark of them needs.
const { spawn, execFile } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const path = require('path');
const { promisify } = require('util');

const [fazt, work] = process.argv.slice(2);
const processes = new Set();
process.on('exit', () => processes.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const now = () => Number(process.hrtime.bigint()) / 1e6;
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

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

function ask({ host = '127.0.0.1', port }, method, target, { headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const request = http.request(
      { host, port, method, path: target, agent, timeout: 60000,
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
/** Where a node or a peer of it runs: by which words before a command, and where it listens and is reached. */
const loopback = (count) => Promise.all(Array.from({ length: count }, async () =>
  ({ words: [], host: '127.0.0.1', bind: '127.0.0.1', port: 0, swarmPort: await freePort() })));
const node = (name, place) => ({
  name,
  place,
  async start() {
    const db = path.join(work, `${name}.db`);
    const log = path.join(work, `${name}.log`);
    fs.rmSync(log, { force: true });
    const [command, ...words] = [...place.words, fazt, 'server', 'start', '--db', db, '--name', name,
      '--bind', place.bind, '--port', String(place.port), '--swarm-port', String(place.swarmPort)];
    this.child = spawned(command, words, log);
    await until(`${name} is ready`, 120000, () => {
      if (this.child.exitCode !== null) throw new Error(`${name} ended: ${fs.readFileSync(log)}`);
      return /^ready/m.test(fs.readFileSync(log, 'utf8'));
    });
    const run = JSON.parse(fs.readFileSync(`${db}.run`, 'utf8'));
    this.at = { host: place.host, port: place.forwarded ?? Number(run.http.split(':').pop()) };
    this.token = run.token;
    this.db = db;
  },
  // What the command says on this node's host.
  async cli(...said) {
    const [command, ...words] = [...place.words, fazt, ...said, '--db', this.db];
    return (await promisify(execFile)(command, words, { encoding: 'utf8', timeout: 600000 })).stdout;
  },
  async api(method, target, body) {
    return (await ask(this.at, method, target, { headers: { authorization: `Bearer ${this.token}` }, body }))?.data;
  },
  async states() {
    return Object.fromEntries((await this.api('GET', '/api/swarm/status')).members.map((m) => [m.name, m.state]));
  },
  put(key, value) {
    return ask(this.at, 'POST', '/api/put', { headers: { host: 'bench.localhost' }, body: { key, value } });
  },
  // What Prometheus would read, of one moment: sums over the peers, or one peer's.
  async metrics(names, peer = '') {
    const text = await new Promise((done, failed) => http.get(
      { ...this.at, path: '/metrics', agent, headers: { host: 'admin.localhost', authorization: `Bearer ${this.token}` } },
      (answer) => { let said = ''; answer.on('data', (part) => { said += part; }); answer.on('end', () => (answer.statusCode === 200 ? done(said) : failed(new Error(`metrics: ${answer.statusCode}`)))); })
      .on('error', failed));
    const rows = text.split('\n');
    return names.map((name) => rows.filter((row) => row.startsWith(`${name}{`) || row.startsWith(`${name} `))
      .filter((row) => row.includes(peer)).reduce((sum, row) => sum + Number(row.split(' ').pop()), 0));
  },
  async metric(name, peer) {
    return (await this.metrics([name], peer))[0];
  },
  // Cuts this node's links, or lets them come up again.
  links(online) {
    return this.api('PUT', '/api/swarm/links', { online });
  },
  // A file of a site; null while it is not served.
  file(app, name) {
    return new Promise((done, failed) => http.get(
      { ...this.at, path: `/${name}`, agent, headers: { host: `${app}.localhost` } },
      (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('end', () => done(answer.statusCode === 200 ? Buffer.concat(parts) : null));
      }).on('error', failed));
  },
  async read(key) {
    return (await ask(this.at, 'GET', `/api/${key}`, { headers: { host: 'bench.localhost' } })).value;
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

async function swarm(places) {
  for (const [i, place] of places.entries()) {
    const one = node((i < 26 ? '' : 'a') + String.fromCharCode(97 + (i % 26)), place);
    for (const file of fs.readdirSync(work).filter((each) => each.startsWith(`${one.name}.`))) {
      fs.rmSync(path.join(work, file), { recursive: true });
    }
    await one.start();
    nodes.push(one);
  }
  await nodes[0].cli('swarm', 'init', '--name', 'bench');
  for (const one of nodes.slice(1)) await one.cli('swarm', 'join', (await nodes[0].cli('swarm', 'token')).trim());
  await everybodyAlive();
  await nodes[0].cli('app', 'deploy', path.join(__dirname, 'app'), '--name', 'bench');
  for (const one of nodes) {
    await until(`the app answers on ${one.name}`, 60000, () => one.read('warm').then(() => true, () => false), 200);
  }
}

module.exports = { fazt, work, sleep, now, spawned, kill, until, freePort, ask, nodes, node, everybodyAlive, loopback, swarm };
