-- A hundred orders, about 9 KB of JSON.
local orders = {}
for i = 1, 100 do
  orders[i] = string.format(
    '{"id":%d,"customer":"customer %d","state":"%s","items":[{"sku":"a%d","price":%d,"count":2},{"sku":"b","price":7,"count":%d}]}',
    i, i % 17, i % 9 == 0 and "cancelled" or "open", i, 100 + i, i % 5 + 1)
end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"orders":[' .. table.concat(orders, ",") .. "]}"
