// What Node.js does for the same requests, with its own http module.
const { createServer } = require('http');
const { report } = require('./report.js');

function answer(response, value) {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
}

createServer((request, response) => {
  if (request.method !== 'POST') {
    answer(response, { hello: 'world' });
    return;
  }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => answer(response, report(JSON.parse(Buffer.concat(parts).toString()).orders)));
}).listen(Number(process.argv[2]), '127.0.0.1');
