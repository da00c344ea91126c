// What runs beside us: serf, etcd and syncthing from Debian, as many processes of it as there are nodes, or two or three.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { work, spawned, until, freePort, nodes } = require('./nodes');

function has(command) {
  const found = process.env.PATH.split(':').some((folder) => fs.existsSync(path.join(folder, command)));
  if (!found) console.log(`${command} is not installed (apt-get install ${command === 'etcd' ? 'etcd-server' : command}): its figure is left out`);
  return found;
}

// An agent of serf for each node, in its LAN profile as ours is on a LAN.
async function serf() {
  const agents = [];
  for (const { name, place } of nodes) {
    const [bind, rpc] = [`${place.host}:${await freePort()}`, `${place.host}:${await freePort()}`];
    const [command, ...words] = [...place.words, 'serf', 'agent', `-node=${name}`, `-bind=${bind}`, `-rpc-addr=${rpc}`,
      '-profile=lan', ...(agents.length ? [`-join=${agents[0].bind}`] : [])];
    fs.rmSync(path.join(work, `serf-${name}.log`), { force: true });
    const child = spawned(command, words, path.join(work, `serf-${name}.log`));
    const one = { name, bind, rpc, child };
    one.log = () => fs.readFileSync(path.join(work, `serf-${name}.log`), 'utf8');
    agents.push(one);
    await until(`serf ${name} answers`, 20000, () => {
      try {
        return execFileSync('serf', ['members', `-rpc-addr=${rpc}`], { encoding: 'utf8', stdio: 'pipe' })
          .split('\n').filter((row) => row.includes('alive')).length === agents.length;
      } catch { return false; }
    }, 200);
  }
  return agents;
}

/** How often agents of serf have called others of them failed. */
const failures = (agents) => agents.reduce((sum, one) => sum + agents.reduce((about, other) =>
  about + one.log().split(`EventMemberFailed: ${other.name} `).length - 1, 0), 0);

// Three members of etcd.
async function etcd() {
  const members = [];
  for (const name of ['a', 'b', 'c']) members.push({ name, client: await freePort(), peer: await freePort() });
  const cluster = members.map((one) => `${one.name}=http://127.0.0.1:${one.peer}`).join(',');
  for (const one of members) {
    one.child = spawned('etcd', ['--name', one.name, '--data-dir', path.join(work, `etcd-${one.name}`),
      '--listen-client-urls', `http://127.0.0.1:${one.client}`, '--advertise-client-urls', `http://127.0.0.1:${one.client}`,
      '--listen-peer-urls', `http://127.0.0.1:${one.peer}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${one.peer}`,
      '--initial-cluster', cluster], path.join(work, `etcd-${one.name}.log`));
  }
  return members;
}

// Two syncthings that share one folder and nothing of the world.
async function syncthing() {
  const both = [];
  for (const name of ['a', 'b']) {
    const home = fs.mkdtempSync(path.join(work, `syncthing-${name}-`));
    const folder = fs.mkdtempSync(path.join(work, `synced-${name}-`));
    execFileSync('syncthing', ['generate', `--home=${home}`, '--no-default-folder'], { stdio: 'ignore' });
    both.push({ name, home, folder, port: await freePort(), gui: await freePort(),
      id: execFileSync('syncthing', [`--home=${home}`, '--device-id'], { encoding: 'utf8' }).trim() });
  }
  for (const one of both) {
    const other = both.find((each) => each !== one);
    const device = (each) => `<device id="${each.id}" name="${each.name}" compression="never"><address>tcp://127.0.0.1:${each.port}</address></device>`;
    fs.writeFileSync(path.join(one.home, 'config.xml'), `<configuration version="36">
      <folder id="bench" path="${one.folder}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="1">
        <device id="${one.id}"></device><device id="${other.id}"></device></folder>
      ${device(one)}${device(other)}
      <gui enabled="true" tls="false"><address>127.0.0.1:${one.gui}</address><apikey>bench</apikey></gui>
      <options><listenAddress>tcp://127.0.0.1:${one.port}</listenAddress><globalAnnounceEnabled>false</globalAnnounceEnabled>
        <localAnnounceEnabled>false</localAnnounceEnabled><relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled>
        <urAccepted>-1</urAccepted><autoUpgradeIntervalH>0</autoUpgradeIntervalH><crashReportingEnabled>false</crashReportingEnabled>
        <startBrowser>false</startBrowser></options></configuration>`);
    one.child = spawned('syncthing', ['serve', `--home=${one.home}`, '--no-browser', '--no-restart'], path.join(work, `syncthing-${one.name}.log`));
  }
  const connected = /Established secure connection/;
  for (const one of both) {
    await until(`syncthing ${one.name} is connected`, 60000,
      () => connected.test(fs.readFileSync(path.join(work, `syncthing-${one.name}.log`), 'utf8')), 200);
  }
  return both;
}

module.exports = { has, serf, failures, etcd, syncthing };
