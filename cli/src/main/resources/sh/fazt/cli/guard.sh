# Stands beside the command of "fazt swarm lock" and reads a pipe whose other end only that process has: a line with
# the command's process and for how many seconds it may go on after SIGTERM, then "over" once it has ended. Where the
# pipe ends without that, the process was killed, and its command with all that it started has to end as well, while
# the lease still runs.
#   $1  the lease

# What a terminal or an init system tells all of them, the others answer.
trap '' HUP INT QUIT TERM TSTP
read -r command grace || exit 0
[ "$command" != over ] || exit 0
read -r over && exit 0

# Every process and its parent. Not each system has ps.
parents() {
  if [ -r /proc/self/stat ]; then
    for stat in /proc/[0-9]*/stat; do
      read -r line <"$stat" && rest=${line##*) } && rest=${rest#* } && echo "${line%% *} ${rest%% *}"
    done 2>/dev/null
  else
    ps -A -o pid= -o ppid=
  fi
}

# Adds to $all what those in it have started.
grow() {
  list=$(parents)
  before=
  while [ "$before" != "$all" ]; do
    before=$all
    while read -r one parent; do
      case $all in
        *" $one "*) ;;
        *" $parent "*) all="$all$one " ;;
      esac
    done <<LIST
$list
LIST
  done
}

all=" $command "
grow
echo "fazt: the process that held lease $1 was killed: its command is told to end" >&2
# shellcheck disable=SC2086 # Numbers with a space between.
kill -TERM $all 2>/dev/null
while [ "$grace" -gt 0 ]; do
  sleep 1
  grace=$((grace - 1))
  # Only those that are left: the number of one that ended may be another's soon.
  left=" "
  for one in $all; do kill -0 "$one" 2>/dev/null && left="$left$one "; done
  all=$left
  [ "$all" != " " ] || exit 0
done
grow
# shellcheck disable=SC2086
kill -KILL $all 2>/dev/null
exit 0
