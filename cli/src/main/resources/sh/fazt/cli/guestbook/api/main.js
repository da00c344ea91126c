const { add, newest } = require('./entries.js');

const visits = 'visits';

async function answer({ method, path, body }) {
  if (path === '/api/visit' && method === 'POST') {
    return { status: 200, body: { visits: await fazt.app.kv.incr(visits) } };
  }
  if (path === '/api/entries' && method === 'GET') {
    return { status: 200, body: { entries: await newest(50), visits: (await fazt.app.kv.get(visits)) ?? 0 } };
  }
  if (path === '/api/entries' && method === 'POST') {
    const { name, text } = body ?? {};
    if (!name?.trim() || !text?.trim()) {
      return { status: 400, body: { error: 'a name and a message are wanted' } };
    }
    return { status: 201, body: await add(name.trim().slice(0, 40), text.trim().slice(0, 280)) };
  }
  return { status: 404, body: { error: `there is no ${method} ${path}` } };
}

answer(request);
