// Nodes on hosts of their own, as network namespaces with a router between them, which can delay, lose and swallow.
// Root and nft are needed; everything is named after this process and gone when it ends.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { work, spawned, kill, until, freePort, nodes, everybodyAlive } = require('./nodes');

/** The command trusts its node on loopback only: a forwarder on each host brings the benchmark there. */
const [SWARM_PORT, HTTP_PORT, FORWARDED_PORT] = [5698, 8080, 8081];
const name = `fz${process.pid}`;
const made = [];
const run = (command, ...words) => execFileSync(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });

process.on('exit', () => {
  if (!made.length) return;
  try { run('nft', 'delete', 'table', 'ip', name); } catch { /* It has none while nothing is wrong with the way. */ }
  made.forEach((host) => run('ip', 'netns', 'delete', host.space));
});

/** Why there can be none; undefined when there can. */
function lacking() {
  if (process.getuid() !== 0) return 'root is needed for networks of their own';
  const there = (command) => [...process.env.PATH.split(':'), '/sbin', '/usr/sbin'].some((folder) => fs.existsSync(path.join(folder, command)));
  return ['ip', 'tc', 'nft'].filter((command) => !there(command))
    .map((command) => `${command} is not installed (apt-get install iproute2 nftables)`)[0];
}

// A process that hands on, when it listens.
async function handingOn(before, milliseconds, ways) {
  const log = path.join(work, `${made.length}-${milliseconds}.delay`);
  const [command, ...words] = [...before, 'node', path.join(__dirname, 'delay.js'), String(milliseconds), ...ways];
  const child = spawned(command, words, log);
  await until(`${ways} listens`, 10000, () => fs.readFileSync(log, 'utf8').includes('ready'));
  return child;
}

/** As many hosts in one network, each with a way of its own to the router, which answers for the others. */
async function networks(count) {
  for (let i = made.length; i < count; i++) {
    const host = { space: `${name}n${i}`, way: `${name}w${i}`, host: `10.213.0.${i + 2}`,
      bind: '0.0.0.0', port: HTTP_PORT, forwarded: FORWARDED_PORT, swarmPort: SWARM_PORT };
    host.words = ['ip', 'netns', 'exec', host.space];
    run('ip', 'netns', 'add', host.space);
    made.push(host);
    run('ip', 'link', 'add', host.way, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.space);
    run('ip', 'address', 'add', '10.213.0.1/32', 'dev', host.way);
    run('ip', 'link', 'set', host.way, 'up');
    run('ip', 'route', 'add', `${host.host}/32`, 'dev', host.way);
    for (const way of ['forwarding', 'proxy_arp']) fs.writeFileSync(`/proc/sys/net/ipv4/conf/${host.way}/${way}`, '1');
    fs.writeFileSync(`/proc/sys/net/ipv4/neigh/${host.way}/proxy_delay`, '0');
    for (const words of [['address', 'add', `${host.host}/24`, 'dev', 'eth0'], ['link', 'set', 'lo', 'up'], ['link', 'set', 'eth0', 'up'],
      ['route', 'add', 'default', 'via', '10.213.0.1']]) run('ip', '-n', host.space, ...words);
    await handingOn(host.words, 0, [`${FORWARDED_PORT}=127.0.0.1:${HTTP_PORT}`]);
  }
  return made;
}

// The router's rules between hosts, in place of those before; none when empty. The benchmark's own way to each host is not theirs.
function rules(between, redirected = []) {
  execFileSync('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'], input: `
    table ip ${name} {}
    delete table ip ${name}
    table ip ${name} {
      chain arriving { type nat hook prerouting priority -100;
        ${redirected.join('\n')}
      }
      chain between { type filter hook forward priority 0;
        ${between.map((rule) => `iifname "${name}w*" ${rule}`).join('\n')}
      }
    }` });
}

/** Swallows whatever one host sends or should get; nobody hears a refusal. */
const swallow = ({ host }) => rules([`ip saddr ${host} drop`, `ip daddr ${host} drop`]);

/** Loses so many of a hundred packets. */
const lose = (percent) => rules([`numgen random mod 100 < ${percent} drop`]);

/** All of it works again. */
const mend = () => rules([]);

/** While something runs, one host's way carries so many megabits a second in each direction, the benchmark's own included. */
async function narrowed({ way, space }, megabits, what) {
  const queue = (verb, ...how) => {
    run('tc', 'qdisc', verb, 'dev', way, 'root', ...how);
    run('tc', '-n', space, 'qdisc', verb, 'dev', 'eth0', 'root', ...how);
  };
  // No more waits than takes 50 ms: what is beyond is lost, as a router would do it.
  queue('add', 'tbf', 'rate', `${megabits}mbit`, 'burst', '32kb', 'latency', '50ms');
  await what();
  queue('delete');
}

/** Bytes that a host was sent, ever, as its router counts them. */
const carriedTo = ({ way }) => Number(fs.readFileSync(`/sys/class/net/${way}/statistics/tx_bytes`, 'utf8'));

/** While something runs, the only way from node to node takes so long in each direction. */
async function delayed(milliseconds, what) {
  const ports = await Promise.all(made.map(freePort));
  const child = await handingOn([], milliseconds, made.map((host, i) => `${ports[i]}=${host.host}:${SWARM_PORT}`));
  const move = async (change) => {
    for (const one of nodes) await one.links(false);
    change();
    for (const one of nodes) await one.links(true);
    await everybodyAlive();
  };
  await move(() => rules(['drop'], made.map((host, i) =>
    `iifname "${name}w*" ip daddr ${host.host} tcp dport ${SWARM_PORT} redirect to :${ports[i]}`)));
  await what();
  await move(mend);
  await kill(child);
}

module.exports = { lacking, networks, swallow, lose, mend, narrowed, carriedTo, delayed };
