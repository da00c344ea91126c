// The realistic handler, the same text for both runtimes: a list of orders in, a report out.
function report(orders) {
  const open = orders.filter(({ state }) => state !== 'cancelled');
  const byCustomer = new Map();
  for (const { customer, items } of open) {
    const sum = items.reduce((total, { price, count }) => total + price * count, 0);
    const known = byCustomer.get(customer) ?? { orders: 0, sum: 0 };
    byCustomer.set(customer, { orders: known.orders + 1, sum: known.sum + sum });
  }
  const rows = [...byCustomer.entries()]
    .map(([customer, { orders: count, sum }]) => ({ customer, count, sum, mean: Math.round(sum / count) }))
    .sort((a, b) => b.sum - a.sum || a.customer.localeCompare(b.customer));
  const html = rows.map(({ customer, count, sum }) => `<tr><td>${customer}</td><td>${count}</td><td>${sum}</td></tr>`);
  return { total: rows.reduce((all, { sum }) => all + sum, 0), rows: rows.slice(0, 10), html: html.join('') };
}
module.exports = { report };
