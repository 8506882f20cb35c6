#!/bin/bash
# PID 1 of a lab host, started in fresh pid, mount, uts and network namespaces. Prepares what belongs to this host
# alone, waits for the WAN, and becomes the supervisor. Killing it is a power loss: the kernel ends all it started,
# and its mounts and interfaces go with it.
# Environment: HOST_NAME, HOST_DIRECTORY, HOST_RESOLVER, CGROUP_PATHS (colon-separated), TRUST_BUNDLE, SUPERVISORD
set -eu
echo 10000000 > /proc/self/timerslack_ns   # wakes that are due within 10 ms are one, here and in all that starts here
read -r pid _ < /proc/self/stat   # /proc is still the root namespace's: the number the outside knows
IFS=: read -ra cgroups <<< "$CGROUP_PATHS"
for path in "${cgroups[@]}"; do echo 0 > "$path/cgroup.procs"; done
mount --make-rprivate /
mount -t proc proc /proc
hostname "$HOST_NAME"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns /run/containerd /run/shopsphere-agent
mount -t tmpfs -o size=4m,mode=700 tmpfs /run/shopsphere-agent   # of its own: a full /run shuts no site off
mkdir -p "$HOST_DIRECTORY"/disk/{volumes,var-log} /var/lib/cni /srv/volumes
mount -t tmpfs -o mode=755 tmpfs /var/lib/cni
mount --bind "$HOST_DIRECTORY/disk/var-log" /var/log
mount --bind "$HOST_DIRECTORY/disk/volumes" /srv/volumes
for image in /srv/volumes/*.img; do   # volumes with a size of their own
  if [ -e "$image" ]; then mount -o loop "$image" "${image%.img}" && chown 26:26 "${image%.img}" && chmod 770 "${image%.img}"; fi
done
echo "nameserver $HOST_RESOLVER" > "$HOST_DIRECTORY/run/resolv.conf"
mount --bind "$HOST_DIRECTORY/run/resolv.conf" "$(readlink -f /etc/resolv.conf)"
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then mount --bind "$TRUST_BUNDLE" /etc/ssl/certs/ca-certificates.crt; fi
ip link set lo up
sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.ip_nonlocal_bind=1
sysctl -q -w net.bridge.bridge-nf-call-iptables=1 2> /dev/null || true   # absent until the bridge module is in use
# Who has no business here is refused from the first packet on.
if [ -e "$HOST_DIRECTORY/disk/host-firewall.nft" ]; then nft -f "$HOST_DIRECTORY/disk/host-firewall.nft"; fi
# A site of a pair starts shut off: nothing may reach its databases before its agent knows that it may write.
if [ -e "$HOST_DIRECTORY/disk/fence.nft" ]; then nft -f "$HOST_DIRECTORY/disk/fence.nft"; fi
# And no pod of a cluster reaches the outside before its policies are there.
if [ -e "$HOST_DIRECTORY/disk/pod-guard.nft" ]; then nft -f "$HOST_DIRECTORY/disk/pod-guard.nft"; fi
echo "$pid" > "$HOST_DIRECTORY/run/init.pid.new"
mv "$HOST_DIRECTORY/run/init.pid.new" "$HOST_DIRECTORY/run/init.pid"
for _ in $(seq 300); do
  if ip -4 address show dev eth0 2> /dev/null | grep -q inet; then break; fi
  sleep 0.1
done
exec "$SUPERVISORD" --nodaemon --configuration "$HOST_DIRECTORY/run/supervisord.conf"
