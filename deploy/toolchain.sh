# Sourced by ./fazt and ./check: finds the tools, and as root on Debian installs what is missing.

say() { echo "fazt: $*" >&2; }

install_packages() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "missing: $*; install them (Debian package names) and try again"
    exit 1
  fi
  say "installing $*"
  if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/tmp/fazt-apt.log 2>&1; then
    apt-get update -qq >/tmp/fazt-apt.log 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/tmp/fazt-apt.log 2>&1 || {
      cat /tmp/fazt-apt.log >&2
      say "could not install $*"
      exit 1
    }
  fi
}

need_toolchain() {
  wanted=
  [ "$(javac_major)" -ge 17 ] || wanted="openjdk-17-jdk-headless"
  command -v mvn >/dev/null || wanted="$wanted maven"
  command -v npm >/dev/null || wanted="$wanted nodejs npm"
  # shellcheck disable=SC2086
  [ -z "$wanted" ] || install_packages $wanted
}

javac_major() {
  command -v javac >/dev/null || { echo 0; return; }
  javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'
}

# The lowest and the highest Java from 17 on that is installed: "MAJOR BINARY" in $oldest_java and $newest_java.
find_javas() {
  oldest_java=
  newest_java=
  for candidate in "${JAVA_HOME:-/nonexistent}/bin/java" "$(command -v java)" /usr/lib/jvm/*/bin/java; do
    home=$(readlink -f "$candidate" 2>/dev/null) || continue
    home=${home%/bin/java}
    [ -x "$home/bin/java" ] || continue
    major=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null)
    [ "${major:-0}" -ge 17 ] || continue
    if [ -z "$oldest_java" ] || [ "$major" -lt "${oldest_java%% *}" ]; then oldest_java="$major $home/bin/java"; fi
    if [ -z "$newest_java" ] || [ "$major" -gt "${newest_java%% *}" ]; then newest_java="$major $home/bin/java"; fi
  done
}

need_browser() {
  wanted=
  command -v chromium >/dev/null || wanted="chromium"
  command -v nft >/dev/null || wanted="$wanted nftables"
  command -v ip >/dev/null || wanted="$wanted iproute2"
  # A router that speaks PCP and UPnP, for the tests.
  [ -x /usr/sbin/miniupnpd ] || wanted="$wanted miniupnpd-nftables"
  # shellcheck disable=SC2086
  [ -z "$wanted" ] || install_packages $wanted
}

# A source that is newer than the file $1; nothing when the build is up to date.
newer_sources() {
  find "$root/pom.xml" "$root"/*/pom.xml "$root"/deploy/*/pom.xml "$root"/*/src "$root"/deploy/dist/src \
    "$root/admin" -name node_modules -prune -o -name target -prune -o -type f -newer "$1" -print 2>/dev/null | head -n 1
}
