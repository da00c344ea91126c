// Benchmarks of nodes with a network between them: a long way, a host that falls silent, lost packets.
const { sleep, now, kill, until, nodes, everybodyAlive } = require('./nodes');
const { has, serf } = require('./peers');
const { full, N, quantile, line, propagation, wrongVerdicts } = require('./figures');
const { swallow, lose, mend, delayed } = require('./networks');

// How often an agent of serf has called one of the others failed.
const failures = (agents) => agents.reduce((sum, one) => sum + one.log().split('EventMemberFailed:').length - 1, 0);

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
    const seconds = full ? 1800 : 30;
    for (const [percent, target] of [[10, 0], [25, (N * seconds) / 3600]]) {
      const agents = has('serf') ? await serf() : [];
      const before = failures(agents);
      lose(percent);
      const counted = wrongVerdicts(nodes);
      await sleep(seconds * 1000);
      const wrong = await counted();
      const theirs = failures(agents) - before;
      mend();
      await Promise.all(agents.map((one) => kill(one.child)));
      await everybodyAlive();
      line(`B4 dead wrongly, N=${N}, ${percent} % lost, ${seconds} s (serf)`, wrong, agents.length ? theirs : undefined, target);
    }
  },
};
