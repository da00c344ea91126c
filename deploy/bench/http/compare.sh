# Static files beside nginx, functions beside Node.js: one core for the server, one for the client, in turns.
# Called by ../run with $fazt, $work and the functions of that script.
set -eu
rounds=${BENCH_ROUNDS:-3}
seconds=${BENCH_SECONDS:-5}
warm=$((seconds * 2))
server="taskset -c 0"
client="taskset -c 1"

chmod 755 "$work"
mkdir -p "$work/site/api" "$work/www"
for size in 1 16; do
  head -c $((size * 768)) /dev/urandom | base64 -w0 >"$work/site/$size.txt"
done
cp "$work"/site/*.txt "$work/www/"
cp "$here/http/api/main.js" "$here/http/report.js" "$work/site/api/"
ours=$(free_port) nginx=$(free_port) node=$(free_port)

start_node bench "$ours" "$server"
"$fazt" app deploy "$work/site" --name bench --db "$work/bench.db" >/dev/null
cat >"$work/nginx.conf" <<CONF
worker_processes 1; daemon off; pid $work/nginx.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nodelay on; open_file_cache max=100; default_type text/plain;
  server { listen 127.0.0.1:$nginx; root $work/www; } }
CONF
$server nginx -c "$work/nginx.conf" & pids="$pids $!"
$server node "$here/http/node.js" "$node" & node_js=$!; pids="$pids $node_js"
i=0
until [ -s "$work/nginx.pid" ] && nginx_worker=$(pgrep -P "$(cat "$work/nginx.pid")") && port_open "$node"; do
  i=$((i + 1)); [ $i -lt 100 ] || { echo "bench: nginx or Node.js did not start" >&2; exit 1; }
  sleep 0.1
done

cpu_ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }

# One round: "requests/s p50 p99 CPU-us-per-request", times in ms.
round() { # pid url host options...
  pid=$1 url=$2 host=$3; shift 3
  before=$(cpu_ticks "$pid")
  $client wrk -t1 -c64 -d"${seconds}s" --latency -H "Host: $host" "$@" "$url" >"$work/wrk.out"
  after=$(cpu_ticks "$pid")
  if grep -q 'Non-2xx\|Socket errors' "$work/wrk.out"; then
    cat "$work/wrk.out" >&2; exit 1
  fi
  awk -v ticks=$((after - before)) '
    function ms(text) { return text ~ /us$/ ? text / 1000 : text ~ /ms$/ ? text + 0 : text * 1000 }
    $1 == "50%" { p50 = ms($2) } $1 == "99%" { p99 = ms($2) }
    /requests in/ { requests = $1 } /^Requests\/sec/ { rate = $2 }
    END { printf "%.0f %.2f %.2f %.1f\n", rate, p50, p99, ticks * 10000 / requests }' "$work/wrk.out"
}

median() { # column file
  cut -d' ' -f"$1" "$2" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

compare() { # label peer-name peer-pid peer-url our-path options...
  label=$1 name=$2 peer_pid=$3 peer_url=$4 path=$5; shift 5
  : >"$work/peer"; : >"$work/ours"
  $client wrk -t1 -c64 -d${warm}s -H "Host: bench.localhost" "$@" "http://127.0.0.1:$ours$path" >/dev/null
  i=0
  while [ $i -lt "$rounds" ]; do
    round "$peer_pid" "$peer_url" bench "$@" >>"$work/peer"
    round "$node_pid" "http://127.0.0.1:$ours$path" bench.localhost "$@" >>"$work/ours"
    i=$((i + 1))
  done
  rate=$(median 1 "$work/peer")
  printf '%-20s %-8s %10s %8s %8s %8s %7s\n' "$label" "$name" "$rate" "$(median 2 "$work/peer")" \
    "$(median 3 "$work/peer")" "$(median 4 "$work/peer")" 1.00
  mine=$(median 1 "$work/ours")
  printf '%-20s %-8s %10s %8s %8s %8s %7s\n' "" fazt "$mine" "$(median 2 "$work/ours")" \
    "$(median 3 "$work/ours")" "$(median 4 "$work/ours")" "$(awk "BEGIN { printf \"%.2f\", $mine / $rate }")"
}

printf '%-20s %-8s %10s %8s %8s %8s %7s\n' "64 connections" server requests/s "p50 ms" "p99 ms" "CPU us" ratio
compare "1 KB file" nginx "$nginx_worker" "http://127.0.0.1:$nginx/1.txt" /1.txt
compare "16 KB file" nginx "$nginx_worker" "http://127.0.0.1:$nginx/16.txt" /16.txt
compare "hello function" Node.js "$node_js" "http://127.0.0.1:$node/" /api/hello
compare "realistic function" Node.js "$node_js" "http://127.0.0.1:$node/" /api/report -s "$here/http/post.lua"
