#!/bin/sh
# fazt: this launcher, and the program behind it as a jar. Needs Java 17 or newer.
#   FAZT_JAVA     the java to run with; else $JAVA_HOME, the PATH, the usual places
#   FAZT_HEAP     most heap of a node, default 256m
#   FAZT_CACHE    where the class-data archives are kept, default ~/.cache/fazt
#   FAZT_ARCHIVE  "off": make and use none
#   FAZT_JAVA_OPTIONS  more options for Java
self=$(readlink -f "$0" 2>/dev/null) || self=$0

# The version of the Java whose binary is $1, in $version and, 0 when there is none, $major.
version_of() {
  major=0
  version=
  [ -x "$1" ] || return
  real=$(readlink -f "$1" 2>/dev/null) || real=$1
  home=${real%/bin/java}
  if [ -r "$home/release" ]; then
    while IFS='=' read -r key value; do
      if [ "$key" = JAVA_VERSION ]; then
        value=${value#\"}
        version=${value%%[!0-9.]*}
        break
      fi
    done <"$home/release"
  else
    version=$("$1" -version 2>&1 | sed -n '1s/[^"]*"\([0-9.]*\).*/\1/p')
  fi
  major=${version%%.*}
  [ -n "$major" ] || major=0
}

java=
for candidate in "$FAZT_JAVA" "${JAVA_HOME:-/nonexistent}/bin/java" "$(command -v java)" \
  /usr/lib/jvm/default-java/bin/java /usr/lib/jvm/*/bin/java /opt/java/*/bin/java; do
  [ -n "$candidate" ] || continue
  version_of "$candidate"
  if [ "$major" -ge 17 ]; then
    java=$candidate
    break
  fi
  if [ "$candidate" = "$FAZT_JAVA" ]; then
    echo "fazt: FAZT_JAVA is $FAZT_JAVA, which is not a Java 17 or newer" >&2
    exit 1
  fi
done
if [ -z "$java" ]; then
  echo "fazt: needs Java 17 or newer and found none; on Debian: apt-get install default-jre-headless" >&2
  exit 1
fi

case "$1 $2" in
  "server start") kind=node ;;
  # Hashes what it sends, which takes the better of Java's two compilers.
  "app deploy") kind=deploy ;;
  *) kind=cli ;;
esac
stamp=$(stat -c %Y-%s "$self" 2>/dev/null) || stamp=$(stat -f %m-%z "$self" 2>/dev/null) || stamp=unknown
archives=${FAZT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/fazt}/$stamp-$version

# Relocation 0 and one archive each: 16 ms and 15 MB less per start. Serial: the smallest collector.
[ $kind = node ] && archive=node || archive=cli
flags="-XX:+IgnoreUnrecognizedVMOptions -XX:+UseSerialGC -XX:-UsePerfData -Xshare:auto -Xlog:disable
  -XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0 -Djava.awt.headless=true"
# Nothing here reads Java objects, and so nobody can make it read theirs.
flags="$flags -Djdk.serialFilter=!*"
[ "$major" -ge 22 ] && flags="$flags --enable-native-access=ALL-UNNAMED"
[ "$major" -ge 23 ] && flags="$flags --sun-misc-unsafe-memory-access=allow"
if [ $kind = node ]; then
  export MALLOC_ARENA_MAX=1
  flags="$flags -Xms16m -Xmx${FAZT_HEAP:-256m} -XX:ReservedCodeCacheSize=64m -XX:MaxDirectMemorySize=96m
    -XX:TrimNativeHeapInterval=5000 -Dio.netty.allocator.type=pooled -Dio.netty.allocator.numDirectArenas=1
    -Dio.netty.allocator.numHeapArenas=1 -Dio.netty.allocator.maxOrder=3"
elif [ $kind = deploy ]; then
  flags="$flags -Xmx128m"
else
  flags="$flags -XX:TieredStopAtLevel=1 -Xmx128m"
fi
if [ $kind != cli ]; then
  # Until they are compiled, AES-GCM and SHA-256 run without the processor's help, a fiftieth as fast: compile them a
  # thousand times sooner. Nobody waits for that: a network thread would stand still.
  flags="$flags -XX:CompileCommand=quiet"
  for hot in com.sun.crypto.provider.GHASH com.sun.crypto.provider.GCTR com.sun.crypto.provider.CounterMode \
    com.sun.crypto.provider.GaloisCounterMode\* sun.security.provider.SHA2 sun.security.provider.DigestBase; do
    flags="$flags -XX:CompileCommand=CompileThresholdScaling,$hot::*,0.001"
  done
fi
if [ -n "$FAZT_ARCHIVE_OUT" ]; then
  flags="$flags -XX:ArchiveClassesAtExit=$FAZT_ARCHIVE_OUT"
elif [ "$FAZT_ARCHIVE" != off ] && [ -r "$archives/$archive.jsa" ]; then
  flags="$flags -XX:SharedArchiveFile=$archives/$archive.jsa"
fi
[ -t 1 ] && tty=1 || tty=0

set -f
# shellcheck disable=SC2086 # The flags are words of our own.
exec "$java" $flags ${FAZT_JAVA_OPTIONS:-} "-Dfazt.executable=$self" "-Dfazt.archives=$archives" -Dfazt.tty=$tty \
  -cp "$self" sh.fazt.cli.Main "$@"
