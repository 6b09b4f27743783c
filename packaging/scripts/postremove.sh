#!/bin/sh
# What was learned is kept until the package is purged (deb) or erased (rpm).
set -e

case "$1" in
purge | 0)
	rm -rf /var/lib/telegraf/anomaly
	rmdir --ignore-fail-on-non-empty /var/lib/telegraf 2> /dev/null || true
	;;
esac
