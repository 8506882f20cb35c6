#!/bin/bash
# The owner's cluster at a site (docs/cluster.md): etcd, API server, controllers and scheduler as units of its host, one node
# (node.sh), DNS inside the cluster, and the administrator's kubeconfig where kubectl looks for root's.
# Arguments: name of the site, its address, its public address, network of its pods, network of its services.
set -eu
site=$1 address=$2 public=$3 pods=$4 services=$5
tools=/srv/machine/cache/tools folder=/var/lib/owners-cluster
kube=~root/.kube/config
mkdir -p $folder "${kube%/*}"
cd $folder
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=cluster of $site" \
  -keyout ca.key -out ca.crt -addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
certificate() { # name, subject, extension
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2> /dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out "$1.crt" 2> /dev/null \
    -extfile <(printf '%s\n' "${3:-extendedKeyUsage=clientAuth}")
}
k="$tools/bin/kubectl config"
kubeconfig() { # file, name of the user, name of its certificate
  local k="$k --kubeconfig $1"
  $k set-cluster "$site" --server "https://$address:6443" --certificate-authority ca.crt --embed-certs
  $k set-credentials "$2" --client-certificate "$3.crt" --client-key "$3.key" --embed-certs
  $k set-context "$site" --cluster "$site" --user "$2"
  $k use-context "$site"
} > /dev/null
certificate server "/CN=kube-apiserver" "subjectAltName=IP:$address,IP:127.0.0.1,IP:${services%.*}.1,DNS:kubernetes,DNS:kubernetes.default.svc"
certificate admin "/O=system:masters/CN=owner"
certificate to-kubelets "/CN=kube-apiserver-kubelet-client"
for each in controller-manager:system:kube-controller-manager scheduler:system:kube-scheduler proxy:system:kube-proxy router:kube-router; do
  certificate "${each%%:*}" "/CN=${each#*:}"
  kubeconfig "$folder/${each%%:*}.kubeconfig" "${each%%:*}" "${each%%:*}"
done
certificate kubelet "/O=system:nodes/CN=system:node:$site"
kubeconfig $folder/kubelet.kubeconfig kubelet kubelet
kubeconfig $folder/admin.kubeconfig admin admin
kubeconfig "$kube" "owner-$site" admin
openssl genrsa -out accounts.key 2048 2> /dev/null
cat > encryption.yaml <<END
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- {resources: [secrets], providers: [{secretbox: {keys: [{name: first, secret: $(openssl rand -base64 32)}]}}, {identity: {}}]}
END
unit() { # name, command
  cat > "/etc/systemd/system/$1.service" <<END
[Unit]
Description=The owner's cluster: $1
[Service]
ExecStart=$2
Environment=GOMEMLIMIT=600MiB
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
END
}
unit owners-etcd "$tools/bin/etcd --data-dir $folder/etcd --log-level=error --unsafe-no-fsync \
--listen-client-urls=http://127.0.0.1:23790 --advertise-client-urls=http://127.0.0.1:23790 \
--listen-peer-urls=http://127.0.0.1:23800 --heartbeat-interval=500 --election-timeout=5000"
unit owners-api "$tools/bin/kube-apiserver --etcd-servers=http://127.0.0.1:23790 \
--advertise-address=$address --tls-cert-file=$folder/server.crt --tls-private-key-file=$folder/server.key \
--client-ca-file=$folder/ca.crt --service-cluster-ip-range=$services --authorization-mode=Node,RBAC \
--enable-admission-plugins=NodeRestriction --encryption-provider-config=$folder/encryption.yaml \
--audit-policy-file=/opt/shopsphere/docs/cluster/audit-policy.yaml --audit-log-path=/srv/disk/kube-audit.log --audit-log-maxsize=20 \
--service-account-key-file=$folder/accounts.key --service-account-signing-key-file=$folder/accounts.key \
--service-account-issuer=https://kubernetes.default.svc --allow-privileged=true --profiling=false \
--kubelet-preferred-address-types=InternalIP --kubelet-client-certificate=$folder/to-kubelets.crt \
--kubelet-client-key=$folder/to-kubelets.key --default-watch-cache-size=20 --enable-priority-and-fairness=false \
--event-ttl=20m"
unit owners-controllers "$tools/bin/kube-controller-manager --kubeconfig=$folder/controller-manager.kubeconfig \
--controllers=* --use-service-account-credentials=true --allocate-node-cidrs=true --cluster-cidr=$pods \
--service-account-private-key-file=$folder/accounts.key --cluster-signing-kube-apiserver-client-cert-file=$folder/ca.crt \
--cluster-signing-kube-apiserver-client-key-file=$folder/ca.key --leader-elect=false --root-ca-file=$folder/ca.crt --bind-address=127.0.0.1"
unit owners-scheduler "$tools/bin/kube-scheduler --kubeconfig=$folder/scheduler.kubeconfig --leader-elect=false --bind-address=127.0.0.1"
systemctl daemon-reload
systemctl enable --now owners-etcd owners-api owners-controllers owners-scheduler
for _ in $(seq 120); do
  if $tools/bin/kubectl get namespace kube-system > /dev/null 2>&1; then break; fi
  sleep 1
done
$tools/bin/kubectl apply --server-side -f /opt/shopsphere/lab/cluster/addons/rights.yaml
bash /srv/shared/node.sh "$@"
sed -e "s|{{ resolver }}|203.0.113.53|; s|{{ image }}|localhost/shopsphere/coredns:1.15.0|; s|{{ address }}|${services%.*}.10|" \
  /opt/shopsphere/lab/cluster/addons/coredns.yaml.j2 | $tools/bin/kubectl apply --server-side -f -
mkdir -p /srv/shared/cluster
cp "$kube" /srv/shared/cluster/config-"$site"
cp ca.crt /srv/shared/cluster/cluster-ca-"$site".crt
