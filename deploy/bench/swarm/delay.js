// A way that is long but wide: node delay.js MILLISECONDS PORT=HOST:PORT ... hands on what comes to each port, later.
const net = require('net');

const [delay, ...ways] = process.argv.slice(2);
const later = (what) => (delay === '0' ? what() : setTimeout(what, Number(delay)));

// Timers of one length end in the order in which they were begun: so nothing overtakes anything.
function hand(from, to) {
  from.on('data', (part) => later(() => to.write(part)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => later(() => to.destroy()));
}

Promise.all(ways.map((way) => new Promise((listening) => {
  const [port, host, beyond] = way.split(/[=:]/);
  net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = net.connect({ host, port: Number(beyond), allowHalfOpen: true, noDelay: true });
    hand(near, far);
    hand(far, near);
  }).listen(Number(port), listening);
}))).then(() => console.log('ready'));
