#!/bin/bash
# The owner's name server: PowerDNS with its API on loopback, as step 7 asks for it, and an API key in /root/api.key.
set -eu
install -d -o pdns -g pdns /var/lib/owners-names
umask 077
openssl rand -hex 32 | tr -d '\n' > /root/api.key
python3 - <<'END'
import pathlib, sqlite3
schema = next(pathlib.Path("/usr/share").rglob("schema.sqlite3.sql"))
sqlite3.connect("/var/lib/owners-names/zones.sqlite3").executescript(schema.read_text())
END
chown -R pdns:pdns /var/lib/owners-names
mkdir -p /etc/owners-names
cat > /etc/owners-names/pdns.conf <<END
launch=gsqlite3
gsqlite3-database=/var/lib/owners-names/zones.sqlite3
gsqlite3-dnssec=yes
local-address=$(hostname -I | cut -d' ' -f1)
api=yes
api-key=$(cat /root/api.key)
webserver=yes
webserver-address=127.0.0.1
webserver-port=8091
webserver-allow-from=127.0.0.1/32
enable-lua-records=yes
setuid=pdns
setgid=pdns
socket-dir=/run/owners-names
END
systemd-run --quiet --unit owners-names --property RuntimeDirectory=owners-names \
  pdns_server --config-dir=/etc/owners-names --daemon=no --guardian=no
