// Benchmarks of nodes with a network between them: a long way, a host that falls silent, lost packets.
const crypto = require('crypto');
const { sleep, now, kill, until, nodes, everybodyAlive } = require('./nodes');
const { has, serf, failures } = require('./peers');
const { full, WATCHED_SECONDS, N, quantile, line, fill, settled, proven, propagation, wrongVerdicts } = require('./figures');
const { swallow, lose, mend, narrowed, carriedTo, delayed } = require('./networks');

module.exports = {
  // As B1, with 20 ms in each direction. The round trip is what the nodes measured: no shorter way is left.
  async B2() {
    await delayed(20, async () => {
      const took = await propagation('b2', full ? 600 : 100);
      const told = (await Promise.all(nodes.map((one) => one.api('GET', '/api/swarm/status'))))
        .flatMap((status) => status.members.map((member) => member.rtt_ms)).filter((rtt) => rtt > 0);
      line(`B2 shortest round trip that a node tells, N=${N}, ms`, Math.min(...told), undefined, undefined);
      line(`B2 propagation over it, N=${N}, p50, ms`, quantile(took, 0.5), undefined, 35);
      line(`B2 propagation over it, N=${N}, p99, ms`, quantile(took, 0.99), undefined, 140);
    });
  },

  // A host that falls silent, with no connection that is refused, until every other node says that it is dead.
  async B3() {
    const tries = full ? 20 : 3;
    const [suspect, dead, peer] = [[], [], []];
    for (let i = 0; i < tries; i++) {
      const victim = nodes[1 + (i % 2)];
      swallow(victim.place);
      const begin = now();
      await Promise.all(nodes.filter((one) => one !== victim).map(async (one) => {
        await until(`${one.name} suspects ${victim.name}`, 60000, async () => (await one.states())[victim.name] !== 'alive', 10);
        suspect.push(now() - begin);
        await until(`${one.name} says ${victim.name} is dead`, 60000, async () => (await one.states())[victim.name] === 'dead', 10);
      }));
      dead.push(now() - begin);
      mend();
      await everybodyAlive();
    }
    for (let i = 0; has('serf') && i < tries; i++) {
      const agents = await serf();
      await sleep(2000);
      const victim = 1 + (i % 2);
      swallow(nodes[victim].place);
      const begin = now();
      await Promise.all(agents.filter((one) => one !== agents[victim]).map((one) =>
        until(`serf ${one.name} says ${agents[victim].name} failed`, 60000,
          () => one.log().includes(`EventMemberFailed: ${agents[victim].name} `), 10)));
      peer.push(now() - begin);
      mend();
      await Promise.all(agents.map((one) => kill(one.child)));
      await everybodyAlive();
    }
    line(`B3 silent host to suspect, N=${N}, worst of ${tries}, s`, Math.max(...suspect) / 1000, undefined, undefined);
    line(`B3 silent host to dead, N=${N}, worst of ${tries}, s (serf)`, Math.max(...dead) / 1000,
      peer.length ? Math.max(...peer) / 1000 : undefined, 6);
  },

  // Verdicts of dead while everybody is well and packets are lost; serf bears the same loss at the same time.
  async B4() {
    for (const [percent, target] of [[10, 0], [25, (N * WATCHED_SECONDS) / 3600]]) {
      const agents = has('serf') ? await serf() : [];
      const before = failures(agents);
      lose(percent);
      const counted = wrongVerdicts(nodes);
      await sleep(WATCHED_SECONDS * 1000);
      const wrong = await counted();
      const theirs = failures(agents) - before;
      mend();
      await Promise.all(agents.map((one) => kill(one.child)));
      await everybodyAlive();
      line(`B4 dead wrongly, N=${N}, ${percent} % lost, ${WATCHED_SECONDS} s (serf)`, wrong, agents.length ? theirs : undefined, target);
    }
  },

  // A node that was away gets what it missed over a way of 10 Mbit/s, from two that are not short of it. Of the bytes of
  // its own way the benchmark takes none: a is asked how far c is.
  async B7() {
    const [a, b, c] = nodes;
    const count = full ? 100000 : 10000;
    const megabits = 10;
    await c.links(false);
    await until('c is away', 60000, async () => (await c.metric('fazt_peer_up')) === 0, 100);
    // What packs well would say nothing of the way.
    const size = 1000;
    await fill(a, 'b7', count, () => crypto.randomBytes((size * 3) / 4).toString('base64'));
    await until('b has it all', 600000, async () => (await a.metric('fazt_peer_behind_changes', '"b"')) === 0);
    await narrowed(c.place, megabits, async () => {
      const carried = carriedTo(c.place);
      const begin = now();
      await c.links(true);
      await until('a sees c', 60000, async () => (await a.states())[c.name] === 'alive', 50);
      const counted = wrongVerdicts(nodes, [a, b]);
      await until('c has it all', 1200000, async () =>
        (await a.metric('fazt_peer_up')) === nodes.length - 1 && (await a.metric('fazt_peer_behind_changes', '"c"')) === 0, 50);
      const seconds = (now() - begin) / 1000;
      const bytes = carriedTo(c.place) - carried;
      const wrong = await counted();
      const share = (of) => (of * 8 * 100) / (megabits * 1e6 * seconds);
      line(`B7 catch-up of ${count} rows of 1 KB at ${megabits} Mbit/s, rows/s`, count / seconds, undefined, undefined);
      line('B7 the same, of the way, %', share(bytes), undefined, 85);
      line('B7 the same, of the way for what the rows say, %', share(count * size), undefined, undefined);
      line('B7 dead wrongly meanwhile', String(wrong), undefined, '0');
    });
    await settled(60000);
    await proven();
  },
};
