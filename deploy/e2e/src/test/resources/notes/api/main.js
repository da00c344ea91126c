const ds = fazt.app.ds;
const { method, path, body, query } = request;

async function answer() {
  if (method === 'POST') return { status: 201, body: { id: await ds.insert('notes', body) } };
  if (method === 'PUT') return { body: { changed: await ds.update('notes', query.id, body) } };
  if (method === 'DELETE') return { body: { deleted: await ds.delete('notes', { tag: query.tag }) } };
  if (query.id) return { body: (await ds.findOne('notes', query.id)) ?? { id: null } };
  if (path === '/api/bad') return { body: await ds.find('notes', { title: { $like: 'x' } }) };
  return { body: { count: await ds.count('notes'), notes: await ds.find('notes', { stars: { $gte: 1 } }, { limit: 10 }) } };
}

answer();
