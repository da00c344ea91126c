// The swarm's figures, nodes as processes on loopback: node swarm.js FAZT WORK quick|full NODES MINUTES [B1 B3 ...]
// serf, etcd and syncthing run beside them, after them, on the same machine in the same run.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { work, sleep, now, spawned, kill, until, ask, nodes, node, everybodyAlive, loopback, swarm } = require('./nodes');
const { has, serf, failures, etcd, syncthing } = require('./peers');
const { wanted, full, WATCHED_SECONDS, N, wants, GLANCE, some, quantile, line, fill, settled, proven, propagation, wrongVerdicts, MIB, folder, edit } = require('./figures');
const apart = require('./apart');
const newcomer = require('./newcomer');
const { lacking, networks } = require('./networks');

const benchmarks = {
  // Committed on one node, ten a second, to read on each other node, by a reader that polls.
  async B1() {
    const took = await propagation('b1', full ? 600 : 100);
    let peer = [];
    if (has('serf')) {
      const agents = await serf();
      const seen = path.join(work, 'serf-seen');
      fs.writeFileSync(seen, '');
      const watchers = agents.map((one) =>
        spawned('serf', ['monitor', '-log-level=err', `-rpc-addr=${one.rpc}`], path.join(work, `watch-${one.name}`)));
      await sleep(1000);
      for (let i = 0; i < (full ? 200 : 30); i++) {
        const from = i % agents.length;
        execFileSync('serf', ['event', '-coalesce=false', `-rpc-addr=${agents[from].rpc}`, `e${i}-`, 'x'.repeat(200)]);
        const begin = now();
        await Promise.all(some(agents.filter((one) => one !== agents[from])).map(async (one) => {
          await until(`event ${i} on serf ${one.name}`, 20000,
            () => fs.readFileSync(path.join(work, `watch-${one.name}`), 'utf8').includes(`e${i}-`), 1);
          peer.push(now() - begin);
        }));
      }
      await Promise.all([...watchers, ...agents.map((one) => one.child)].map(kill));
    }
    line(`B1 propagation, N=${N}, p50, ms (serf)`, quantile(took, 0.5), peer.length ? quantile(peer, 0.5) : undefined, wants(10, 20, 60));
    line(`B1 propagation, N=${N}, p99, ms (serf)`, quantile(took, 0.99), peer.length ? quantile(peer, 0.99) : undefined, wants(40, 100, 300));
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
        await until(`${one.name} suspects ${victim.name}`, 60000, async () => (await one.states())[victim.name] !== 'alive', GLANCE);
        suspect.push(now() - begin);
        await until(`${one.name} says ${victim.name} is dead`, 60000,
          async () => (await one.states())[victim.name] === 'dead', GLANCE);
      }));
      dead.push(now() - begin);
      await victim.start();
      await everybodyAlive();
    }
    if (has('serf')) {
      for (let i = 0; i < tries; i++) {
        const agents = await serf();
        await sleep(2000);
        const [live, victim] = [agents.slice(0, -1), agents[agents.length - 1]];
        await kill(victim.child);
        const begin = now();
        for (const one of live) {
          await until(`serf ${one.name} says ${victim.name} failed`, 60000,
            () => one.log().includes(`EventMemberFailed: ${victim.name}`), 10);
        }
        peer.push(now() - begin);
        await Promise.all(live.map((one) => kill(one.child)));
      }
    }
    line(`B3 kill -9 to suspect, N=${N}, worst of ${tries}, s`, Math.max(...suspect) / 1000, undefined, 0.3);
    line(`B3 kill -9 to dead, N=${N}, worst of ${tries}, s (serf)`, Math.max(...dead) / 1000,
      peer.length ? Math.max(...peer) / 1000 : undefined, wants(4, 5, 7));
  },

  // Verdicts of dead among those that are well, while one stands still for 1 to 8 s again and again, and its serf with it.
  async B4() {
    const agents = has('serf') ? await serf() : [];
    const end = now() + WATCHED_SECONDS * 1000;
    let stops = 0;
    const well = (all) => all.filter((_, i) => i !== 2);
    const stopped = [nodes[2], ...agents.slice(2, 3)];
    const before = failures(well(agents));
    const counted = wrongVerdicts(well(nodes));
    // The launcher becomes Java by exec: the signal meets the node itself.
    while (now() < end) {
      stopped.forEach((one) => one.child.kill('SIGSTOP'));
      await sleep(1000 + Math.random() * 7000);
      stopped.forEach((one) => one.child.kill('SIGCONT'));
      stops++;
      await sleep(1000 + Math.random() * 2000);
    }
    const wrong = await counted();
    const theirs = failures(well(agents)) - before;
    await Promise.all(agents.map((one) => kill(one.child)));
    await everybodyAlive();
    line(`B4 dead among healthy, N=${N}, ${stops} stops of the third (serf)`, String(wrong), agents.length ? String(theirs) : undefined, '0');
  },

  // Two halves write on, each for itself; healed, until each knows that all have the same.
  async B5() {
    for (const [count, target] of full ? [[10000, 2], [100000, 8]] : [[10000, 2]]) {
      const same = count / 100;
      const halves = [nodes[0], nodes[2]];
      await nodes[2].links(false);
      await until('the halves are apart', 60000, async () => (await nodes[2].metric('fazt_peer_up')) === 0, 100);
      await Promise.all(halves.map((one) => fill(one, `b5-${count}`, same, (i) => `${one.name}-${i}`.padEnd(100, '.'))));
      await Promise.all(halves.map((one) => fill(one, `b5-${count}-${one.name}`, count - same, () => 'x'.repeat(100))));
      const begin = now();
      await nodes[2].links(true);
      await settled(300000);
      const took = (now() - begin) / 1000;
      await proven();
      line(`B5 heal, ${count} rows a half, ${same} the same, s`, took, undefined, target);
    }
  },

  // What travels for one change of 20 bytes, beyond what the links say when nothing changes.
  async B6() {
    const count = full ? 5000 : 1000;
    const total = async (name) => (await Promise.all(nodes.map((one) => one.metric(name)))).reduce((sum, each) => sum + each);
    const sample = async () => [await total('fazt_peer_pushed_total'), await total('fazt_link_sent_bytes_total'), now()];
    await settled(60000);
    const idle = await sample();
    await sleep(5000);
    const before = await sample();
    await fill(nodes[0], 'b6', count, (i) => String(i).padEnd(18, '.'));
    await settled(60000);
    const after = await sample();
    const deliveries = count * (nodes.length - 1);
    const quiet = ((before[1] - idle[1]) / (before[2] - idle[2])) * (after[2] - before[2]);
    line('B6 pushes per useful delivery, N=3', (after[0] - before[0]) / deliveries, undefined, 1.05);
    line('B6 bytes per delivered change of 20 B', (after[1] - before[1] - quiet) / deliveries, undefined, 130);
  },

  // A node that was away gets what it missed.
  async B7() {
    const count = full ? 100000 : 5000;
    await nodes[2].links(false);
    await until('c is away', 60000, async () => (await nodes[2].metric('fazt_peer_up')) === 0, 100);
    const value = 'x'.repeat(1000);
    const rate = await fill(nodes[0], 'b7', count, () => value);
    const begin = now();
    await nodes[2].links(true);
    await settled(600000);
    const seconds = (now() - begin) / 1000;
    line(`B7 catch-up of ${count} rows of 1 KB, rows/s`, count / seconds, undefined, 20000);
    line('B7 the same, MB/s', count / seconds / 1000, undefined, 20);
    line('B7 written before, over HTTP by a function, rows/s', rate, undefined, undefined);
  },

  // Files of a deploy, from its beginning to the last byte on another node; syncthing hashes and copies the same files.
  async B9() {
    const large = folder('large', 3, (full ? 96 : 10) * MIB);
    const small = folder('small', full ? 9999 : 1000, 4096);
    const ours = [];
    const deploy = async (source, app, file) => {
      const bytes = fs.readFileSync(path.join(source, file));
      const sent = await nodes[0].metric('fazt_link_sent_bytes_total');
      const begin = now();
      await nodes[0].cli('app', 'deploy', source, '--name', app);
      const deployed = now();
      for (const one of nodes.slice(1)) {
        await until(`${app} on ${one.name}`, 600000, async () => {
          const there = await one.file(app, file);
          return there !== null && there.equals(bytes) && (await one.metric('fazt_blobs_missing')) === 0;
        }, 20);
      }
      ours.push({ all: (now() - begin) / 1000, after: (now() - deployed) / 1000,
        sent: ((await nodes[0].metric('fazt_link_sent_bytes_total')) - sent) / (nodes.length - 1) });
    };
    await deploy(large, 'b9large', 'file-2');
    edit(path.join(large, 'file-1'), false);
    await deploy(large, 'b9large', 'file-1');
    edit(path.join(large, 'file-1'), true);
    await deploy(large, 'b9large', 'file-1');
    await deploy(small, 'b9small', 'file-7');
    const theirs = [];
    if (has('syncthing')) {
      const [a, b] = await syncthing();
      const scan = () => ask({ port: a.gui }, 'POST', '/rest/db/scan?folder=bench', { headers: { 'x-api-key': 'bench' } });
      const sync = async (source, into, names) => {
        const begin = now();
        fs.mkdirSync(path.join(a.folder, into), { recursive: true });
        for (const name of names) fs.copyFileSync(path.join(source, name), path.join(a.folder, into, name));
        await scan();
        const last = path.join(b.folder, into, names[names.length - 1]);
        const wanted = fs.readFileSync(path.join(source, names[names.length - 1]));
        await until(`${into} on syncthing b`, 600000, () => {
          const folder = path.join(b.folder, into);
          return fs.existsSync(folder) && fs.readdirSync(folder).filter((name) => !name.startsWith('.')).length
            >= fs.readdirSync(source).length && fs.existsSync(last) && fs.readFileSync(last).equals(wanted);
        }, 50);
        theirs.push((now() - begin) / 1000);
      };
      await sync(large, 'large', fs.readdirSync(large));
      edit(path.join(large, 'file-1'), false);
      await sync(large, 'large', ['file-1']);
      edit(path.join(large, 'file-1'), true);
      await sync(large, 'large', ['file-1']);
      await sync(small, 'small', fs.readdirSync(small));
      await Promise.all([a, b].map((one) => kill(one.child)));
    }
    const bytes = (full ? 300 : 30) * 1.048576;
    line('B9 large files, whole way, MB/s (syncthing)', bytes / ours[0].all, theirs[0] && bytes / theirs[0], undefined);
    line('B9 large files, from one node to two others, MB/s', bytes / ours[0].after, undefined, 100);
    line('B9 100 B written over, s (syncthing)', ours[1].all, theirs[1], 1);
    line('B9 the same, KB sent to each', ours[1].sent / 1000, undefined, 300);
    line('B9 100 B put in between, s (syncthing)', ours[2].all, theirs[2], 2);
    line('B9 the same, KB sent to each', ours[2].sent / 1000, undefined, 600);
    line(`B9 ${full ? 9999 : 1000} files of 4 KiB, s (syncthing)`, ours[3].all, theirs[3], full ? 8 : undefined);
  },

  async B11() {
    const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
    let peer;
    if (has('serf')) {
      const agents = await serf();
      await sleep(full ? 10000 : 2000);
      peer = Math.max(...agents.map((one) => rss(one.child.pid)));
      await Promise.all(agents.map((one) => kill(one.child)));
    }
    line('B11 resident, 2 peers, worst node, MB (serf)', Math.max(...nodes.map((one) => rss(one.child.pid))), peer, 150);

    // A node of another swarm, by what is left after a collection. Its peers share a process and have no HTTP.
    const [few, many] = [10, full ? 60 : 25];
    const [place] = await loopback(1);
    const one = node('heap', place);
    await one.start();
    const crowds = [];
    const heap = async (count, more) => {
      const [folder, log] = [path.join(work, `crowd-${count}`), path.join(work, `crowd-${count}.log`)];
      const token = (await one.cli('swarm', 'token')).trim();
      const crowd = spawned('java', ['-Xmx4g', '-cp', process.env.BENCH_CLASSES, 'sh.fazt.bench.IdlePeers', folder, token, String(more)], log);
      crowds.push(crowd);
      await until(`${count} peers are linked and know all`, 600000, async () => {
        if (crowd.exitCode !== null) throw new Error(`the peers ended: ${fs.readFileSync(log)}`);
        const [up, behind, ahead] = await one.metrics(['fazt_peer_up', 'fazt_peer_behind_changes', 'fazt_peer_ahead_changes']);
        return up === count && behind === 0 && ahead === 0;
      }, 500);
      await sleep(full ? 60000 : 15000);
      const left = Array.from({ length: 3 }, () => Number(/^Total\s+\d+\s+(\d+)/m.exec(
        execFileSync('jcmd', [String(one.child.pid), 'GC.class_histogram'], { encoding: 'utf8', maxBuffer: 1 << 26 }))[1]));
      return [Math.min(...left) / 1024, rss(one.child.pid)];
    };
    const [heapFew, rssFew] = await heap(few, few);
    const [heapMany, rssMany] = await heap(many, many - few);
    await Promise.all([one.child, ...crowds].map(kill));
    line(`B11 heap an idle peer, from ${few} to ${many}, KB`, (heapMany - heapFew) / (many - few), undefined, 64);
    line(`B11 heap with ${few} peers, MB`, heapFew / 1024, undefined, undefined);
    line(`B11 resident an idle peer, the same, KB`, ((rssMany - rssFew) * 1024) / (many - few), undefined, undefined);
  },

  // What links say when nothing changes, as a day would come to. Loopback counts as a LAN.
  async B15() {
    await settled(60000);
    const total = async () => (await Promise.all(nodes.map((one) => one.metric('fazt_link_sent_bytes_total'))))
      .reduce((sum, each) => sum + each);
    const before = await total();
    const seconds = full ? 600 : 30;
    await sleep(seconds * 1000);
    const links = (nodes.length * (nodes.length - 1)) / 2;
    line(`B15 idle, LAN, MB a link and day, from ${seconds} s`, (((await total()) - before) / links) * (86400 / seconds) / 1e6,
      undefined, 30);

    // A quarter of an hour is what a metered link sleeps for: less says only what does not stop.
    const phone = nodes[nodes.length - 1];
    await phone.cli('swarm', 'demote', phone.name);
    await phone.cli('swarm', 'link', 'set', 'default', 'metered', 'on');
    await sleep(30000);
    const carried = async () => (await phone.metric('fazt_link_sent_bytes_total'))
      + (await phone.metric('fazt_link_received_bytes_total'));
    const asleep = await carried();
    const hours = full ? 1 : 1 / 30;
    await sleep(hours * 3600000);
    line(`B15 idle, metered, KB a link and day, from ${hours * 60} min`,
      (((await carried()) - asleep) / (nodes.length - 1)) * (24 / hours) / 1000, undefined, 50);
    await phone.cli('swarm', 'link', 'set', 'default', 'metered', 'off');
    // What it heard of the group while it was asleep is too old to go by.
    await sleep(5000);
    await phone.cli('swarm', 'promote', phone.name);
  },

  // How far another is behind, as it is told and as it is: 200 writes a second, while it is linked, cut off, and linked again.
  async B17() {
    const [a, , c] = nodes;
    await settled(60000);
    // Each write says which it is: what c shows is the last that it has.
    const [begun, ended] = [[now()], [now()]];
    await a.put('b17', '0');
    await until('c has the first', 60000, async () => (await c.read('b17')) === '0');
    let writing = true;
    const writer = (async () => {
      for (let due = now(); writing; due += 5) {
        await sleep(Math.max(0, due - now()));
        begun.push(now());
        await a.put('b17', String(begun.length - 1));
        ended.push(now());
      }
    })();
    // What it is lies between two looks at c, one before a tells and one after.
    const look = async () => {
      const shown = async () => Number(await c.read('b17'));
      const first = await shown();
      const [early, taken] = [now(), ended.length];
      const [seconds, changes] = await a.metrics(['fazt_peer_oldest_unsent_seconds', 'fazt_peer_behind_changes'], '"c"');
      const [late, offered] = [now(), begun.length];
      const last = await shown();
      const off = (value, least, most) => Math.max(0, least - value, value - most);
      const [least, most] = [early - (ended[last + 1] ?? early), late - (begun[first + 1] ?? late)].map((age) => Math.max(0, age) / 1000);
      const error = off(seconds, least, most);
      return { error, wrong: error > 1 && error > 0.1 * most, changes: off(changes, taken - 1 - last, offered - 1 - first) };
    };
    const watch = async (milliseconds) => {
      const seen = [];
      for (const end = now() + milliseconds; now() < end;) {
        seen.push(await look());
        await sleep(100);
      }
      return seen;
    };
    const told = (when, seen) => {
      line(`B17 lag told, ${when}, worst error, s`, Math.max(...seen.map((one) => one.error)), undefined, 1);
      line(`B17 the same, beyond 1 s and 10 %, of ${seen.length}`, String(seen.filter((one) => one.wrong).length), undefined, '0');
      line('B17 the same, changes told, worst error', Math.max(...seen.map((one) => one.changes)), undefined, undefined);
    };
    const long = full ? 120000 : 20000;
    const linked = await watch(long);
    await c.links(false);
    const apart = await watch(long);
    await c.links(true);
    const healed = await watch(long);
    writing = false;
    await writer;
    const rate = begun.length / ((ended[ended.length - 1] - begun[0]) / 1000);
    await settled(60000);
    line('B17 writes, /s', rate, undefined, 200);
    told('linked', linked);
    told('cut off', apart);
    told('linked again', healed);
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
      const members = await etcd();
      const put = (i) => ask({ port: members[0].client }, 'POST', '/v3/kv/put',
        { body: { key: Buffer.from(`k${i}`).toString('base64'), value: Buffer.from('bench').toString('base64') } });
      await until('etcd answers', 30000, () => put(0).then(() => true, () => false), 200);
      for (let i = -10; i < count; i++) {
        const begin = now();
        await put(i);
        if (i >= 0) theirs.push(now() - begin);
      }
      await Promise.all(members.map((one) => kill(one.child)));
    }
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

// A swarm of its own for some benchmarks, if any of them is wanted.
async function round(some, names, places) {
  const here = Object.keys(some).filter((each) => names.includes(each));
  if (!here.length) return;
  await swarm(await places());
  for (const name of here) await some[name]();
  await Promise.all(nodes.splice(0).map((one) => kill(one.child)));
}

(async () => {
  // The others are about three.
  const names = wanted.length ? wanted : N === 3 ? Object.keys({ ...benchmarks, ...newcomer, ...apart }) : ['B1', 'B3', 'B4'];
  const known = Object.keys({ ...benchmarks, ...newcomer, ...apart });
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${known.sort().join(', ')}`);
  // Never one without the other: a fast verdict is bought with wrong ones.
  for (const [one, other] of [['B3', 'B4'], ['B4', 'B3']]) {
    if (names.includes(one) && !names.includes(other)) names.push(other);
  }
  console.log(`load before: ${fs.readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}`);
  console.log(`${'figure'.padEnd(54)} ${'ours'.padStart(9)} ${'theirs'.padStart(22)} ${'target'.padStart(9)} ${'ratio'.padStart(7)}`);
  await round(benchmarks, names, () => loopback(N));
  await round(newcomer, names, () => loopback(N));
  const why = N > 10 ? 'more than ten nodes are tried on loopback only' : lacking();
  if (!why) await round(apart, names, () => networks(N));
  else if (Object.keys(apart).some((name) => names.includes(name))) console.log(`${why}: B2, and B3, B4 and B7 over a network, are left out`);
  process.exit(0);
})().catch((failure) => {
  console.error(`bench: ${failure.message}`);
  process.exit(1);
});
