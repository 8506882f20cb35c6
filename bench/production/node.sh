#!/bin/bash
# The owner's node at a site: containerd, kubelet, kube-proxy and kube-router, as units of the host, in one namespace of
# mounts where control groups are at their usual place. Its first images are its distribution's; all others are pulled.
# Arguments: name of the site, its address, its public address, network of its pods, network of its services.
set -eu
site=$1 address=$2 public=$3 pods=$4 services=$5
tools=/srv/machine/cache/tools folder=/var/lib/owners-cluster disk=/srv/disk
first_pods=${pods%/*}/24
echo nameserver 203.0.113.53 > /etc/resolv.conf # knows the shop and nothing else; a pod is given it by its cluster
mkdir -p $disk/{containerd,kubelet,volumes} /srv/volumes /etc/owners-node/cni $folder/bin
for name in v1 v2 v3 v4; do install -d -o 26 -g 26 -m 770 "$disk/volumes/$name"; done
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -sf "/usr/sbin/${name/tables/tables-legacy}" "$folder/bin/$name"
done

cat > /etc/owners-node/up <<END
#!/bin/bash
# Makes the namespace of mounts in which the node's programs run.
set -eu
ip address add $public/24 dev eth0 2> /dev/null || true
mountpoint -q /srv/volumes || mount --bind $disk/volumes /srv/volumes
sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.ip_nonlocal_bind=1 net.bridge.bridge-nf-call-iptables=1
mkdir -p /run/owners-node
rm -f /run/owners-node/pid
touch /dev/kmsg
# What a kubelet would set for the whole kernel reads as it wants it: it is this machine's, and stays as it is.
for each in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  mkdir -p "/run/owners-node/sys/\$(dirname "\$each")"
  echo "\${each#*=}" > "/run/owners-node/sys/\${each%=*}"
done
exec unshare --mount --propagation private bash -eu -c '
  mount --rbind /srv/machine/cgroup /sys/fs/cgroup
  for hierarchy in /sys/fs/cgroup/*; do mkdir -p "\$hierarchy/pods"; done
  cd /run/owners-node/sys
  find . -type f -printf "%P\n" | while read -r each; do mount --bind "\$each" "/proc/sys/\$each"; done
  mount --make-rshared /
  echo \$\$ > /run/owners-node/pid
  exec sleep infinity'
END
cat > /etc/owners-node/inside <<'END'
#!/bin/bash
# Runs a program in the node's namespace of mounts.
exec nsenter --mount="/proc/$(cat /run/owners-node/pid)/ns/mnt" --wd=/ "$@"
END
chmod 755 /etc/owners-node/{up,inside}

cat > /etc/owners-node/containerd.toml <<END
version = 2
root = "$disk/containerd"
state = "/run/owners-containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "/run/owners-containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/shopsphere/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/owners-node/cni"
END
cat > /etc/owners-node/cni/10-pods.conflist <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/run/owners-ipam", "ranges": [[{"subnet": "$first_pods"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}},
  {"type": "tuning", "sysctl": {"net.ipv4.tcp_syn_retries": "1", "net.ipv4.tcp_keepalive_time": "15",
   "net.ipv4.tcp_keepalive_intvl": "5", "net.ipv4.tcp_keepalive_probes": "3"}}]}
END
cat > /etc/owners-node/kubelet.yaml <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /pods
containerRuntimeEndpoint: unix:///run/owners-containerd.sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $folder/ca.crt}}
authorization: {mode: Webhook}
clusterDNS: [${services%.*}.10]
clusterDomain: cluster.local
failSwapOn: false
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageMinimumGCAge: 8760h # pause and coredns cannot be pulled
enforceNodeAllocatable: []
volumePluginDir: $disk/kubelet/plugins
END

unit() { # name, command, further lines of [Unit], further lines of [Service]
  cat > "/etc/systemd/system/$1.service" <<END
[Unit]
Description=The owner's node: $1
StartLimitIntervalSec=0
$3
[Service]
ExecStart=$2
Environment=PATH=$folder/bin:$tools/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin GOMEMLIMIT=400MiB
$4
[Install]
WantedBy=multi-user.target
END
}
inside=/etc/owners-node/inside
again=$'Restart=always\nRestartSec=1\nKillMode=process\nDelegate=yes'
needs=$'Requires=owners-node.service\nAfter=owners-node.service'
unit owners-node /etc/owners-node/up "" "ExecStartPost=/bin/bash -c 'until [ -e /run/owners-node/pid ]; do sleep 0.1; done'"
unit owners-containerd "$inside /usr/bin/containerd --config /etc/owners-node/containerd.toml" "$needs" "$again"
unit kubelet "$inside $tools/bin/kubelet --config=/etc/owners-node/kubelet.yaml --kubeconfig=$folder/kubelet.kubeconfig \
--root-dir=$disk/kubelet --hostname-override=$site --node-ip=$address" "$needs owners-containerd.service" "$again"
unit owners-proxy "$tools/bin/kube-proxy --kubeconfig=$folder/proxy.kubeconfig --cluster-cidr=$pods --hostname-override=$site \
--proxy-mode=nftables --conntrack-max-per-core=0 --conntrack-min=0 --conntrack-tcp-timeout-established=0 \
--conntrack-tcp-timeout-close-wait=0" "After=owners-node.service" "$again"
unit owners-router "$tools/bin/kube-router --kubeconfig=$folder/router.kubeconfig --hostname-override=$site \
--service-cluster-ip-range=$services --run-router=false --run-firewall=true --run-service-proxy=false --health-port=0 \
--metrics-port=0" "After=owners-node.service" "$again"
unit owners-balancer "/bin/bash /srv/shared/balancer.sh $folder/admin.kubeconfig $public" "" "$again"
systemctl daemon-reload
systemctl enable --now owners-node owners-containerd
for _ in $(seq 60); do
  if ctr --address /run/owners-containerd.sock version > /dev/null 2>&1; then break; fi
  sleep 1
done
for name in pause coredns; do
  ctr --address /run/owners-containerd.sock --namespace k8s.io image import --digests=false \
    "$(ls -t /srv/machine/cache/images/$name-*.tar | head -1)"
done
systemctl enable --now kubelet owners-proxy owners-router owners-balancer
for _ in $(seq 120); do
  if $tools/bin/kubectl wait --for=condition=Ready "node/$site" --timeout=1s 2> /dev/null; then break; fi
  sleep 1
done
$tools/bin/kubectl wait --for=condition=Ready "node/$site" --timeout=1s
