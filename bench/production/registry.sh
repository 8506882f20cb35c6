#!/bin/bash
# The owner's registry: that of go-containerregistry behind HAProxy, with a certificate of the owner's authority.
# Argument: its name.
set -eu
name=$1
bash /srv/shared/certificate.sh "$name" /root/registry "DNS:$name"
cat /root/registry/tls.crt /root/registry/tls.key > /root/registry/both.pem
mkdir -p /srv/disk/registry
cat > /root/registry/haproxy.cfg <<END
global
    user haproxy
    group haproxy
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
frontend registry
    bind :443 ssl crt /root/registry/both.pem
    http-request set-header X-Forwarded-Proto https
    default_backend registry
backend registry
    server registry 127.0.0.1:5000
END
systemd-run --quiet --unit owners-registry /srv/machine/cache/tools/bin/crane registry serve --address 127.0.0.1:5000 --disk /srv/disk/registry
systemd-run --quiet --unit owners-registry-tls haproxy -db -f /root/registry/haproxy.cfg
for _ in $(seq 50); do
  if curl --silent --fail "https://$name/v2/" > /dev/null; then break; fi
  sleep 0.2
done
curl --silent --show-error --fail "https://$name/v2/"
