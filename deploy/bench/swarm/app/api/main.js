const { method, path, body } = request;
async function answer() {
  if (method === 'POST') await fazt.app.kv.set(body.key, body.value);
  return { body: { value: (await fazt.app.kv.get(method === 'POST' ? body.key : path.slice(5))) ?? null } };
}
answer();
