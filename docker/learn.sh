#!/bin/sh
# Lets the processor learn the data centre's past, into the state directory that
# its configuration names. Run in the folder of the checkout, with bin/ built.
set -e
config=${1:-examples/datacenter/anomaly.conf}

past=$(mktemp)
bin/datacenter -listen 127.0.0.1:5005 &
server=$!
trap 'kill "$server"; rm -f "$past"' EXIT
tries=0
until wget -qO "$past" http://127.0.0.1:5005/history; do
	tries=$((tries + 1))
	[ "$tries" -lt 20 ] || exit 1
	sleep 0.5
done
mkdir -p /var/lib/telegraf/anomaly
bin/telegraf-anomaly -config "$config" -test "$past" > /dev/null
