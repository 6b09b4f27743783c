#!/bin/sh
# Runs after installation and upgrade. Telegraf is left alone: the program that
# runs goes on until Telegraf is restarted, and the new one is in place already.
set -e

state=/var/lib/telegraf/anomaly

# As Telegraf's own package does it, which may be installed later.
if ! getent group telegraf > /dev/null; then
	groupadd --system telegraf
fi
if ! getent passwd telegraf > /dev/null; then
	useradd --system --no-create-home --shell /bin/false --home-dir /etc/telegraf --gid telegraf telegraf
fi
install -d -o telegraf -g telegraf -m 0755 /var/lib/telegraf
install -d -o telegraf -g telegraf -m 0750 "$state"
