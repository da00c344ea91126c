const { report } = require('./report.js');
request.method === 'POST' ? { body: report(request.body.orders) } : { body: { hello: 'world' } };
