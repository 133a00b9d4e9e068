#!/busybox sh
# SPDX-License-Identifier: Apache-2.0
#
# criu.sh ADDRESS:PORT MIB ROUNDS: the workload of the machine on which criu.py measures CRIU. Runs kmorph-kv and, in rounds, dumps it to
# memory and restores it from there. Of each round it prints two lines: when it begins; and when it has ended, the times since boot at
# which the dump began and ended and the restore began and ended, in seconds, then both files of statistics in base64.
set -eu
export PATH=/bin
/busybox mkdir -p /bin
/busybox --install -s /bin
for module in /modules/*; do
	insmod "$module"
done
mkdir /images
mount -t tmpfs images /images

now() {
	cut -d ' ' -f 1 /proc/uptime
}

# try LOG COMMAND...
try() {
	log=$1
	shift
	"$@" -o "$log" && return
	echo "criu failed: $*"
	cat "$log"
	exit 1
}

# It knows of no agent and holds nothing that is anybody else's: CRIU refuses a socket whose other end it does not dump.
eval "env -i setsid /kmorph-kv --listen=$1 --state=$2 </dev/null >/dev/null 2>&1 $KMORPH_LINK<&- &"
kv=$!
until netstat -tn | grep -q ESTABLISHED; do
	sleep 1
done
sleep 5
round=1
while [ "$round" -le "$3" ]; do
	# Two machines' consoles are read one after the other: time for that
	echo "criu begins $round"
	sleep 2
	images=/images/$round
	mkdir "$images"
	dump_began=$(now)
	try "$images/dump.log" criu dump --tree "$kv" --images-dir "$images" --tcp-established --network-lock nftables
	dumped=$(now)
	# its number must be free again
	while [ -e "/proc/$kv" ]; do
		wait "$kv" || true
	done
	restore_began=$(now)
	try "$images/restore.log" criu restore --images-dir "$images" --tcp-established --restore-detached
	restored=$(now)
	echo "criu ended $round $dump_began $dumped $restore_began $restored $(base64 -w 0 "$images/stats-dump") $(base64 -w 0 "$images/stats-restore")"
	rm -r "$images"
	sleep 10
	round=$((round + 1))
done
echo "criu is through"
sleep 100000
