class Ledger {
  #kv = fazt.app.kv;
  async put(key, value) {
    await this.#kv.set(key, { value, by: fazt.app.name });
    return { key, total: await this.#kv.incr('total') };
  }
  async all() {
    const pairs = await this.#kv.list('entry/');
    return { total: (await this.#kv.get('total')) ?? 0, pairs: pairs.map(({ key, value }) => [key, value?.value]) };
  }
}

const ledger = new Ledger();
const { method, path, body } = request;

async function answer() {
  if (path === '/api/loop') while (true) {}
  if (path === '/api/put-and-loop') { await ledger.put(`entry/${body.key}`, 'looping'); while (true) {} }
  if (path === '/api/throw') throw new Error('on purpose');
  if (path === '/api/deep') { const dig = (n) => dig(n + 1) + 1; return { body: dig(0) }; }
  if (path === '/api/cycle') { const loop = {}; loop.self = loop; return { body: loop }; }
  if (method === 'POST') return { status: 201, body: await ledger.put(`entry/${body.key}`, body.value) };
  return { body: await ledger.all() };
}

answer();
