// One key per entry: two sides of a split never write over each other.
exports.add = async (name, text) => {
  const at = Date.now();
  const entry = { name, text, at };
  await fazt.app.kv.set(`entry/${at}-${Math.random().toString(36).slice(2, 8)}`, entry);
  return entry;
};

exports.newest = async (count) => {
  const entries = (await fazt.app.kv.list('entry/')).map(({ value }) => value);
  return entries.sort((a, b) => b.at - a.at).slice(0, count);
};
