#!/bin/bash
# The owner's cluster at a site, as far as it goes without nodes: etcd, API server, the controllers that sign certificates
# and look after namespaces, the administrator's kubeconfig where kubectl looks for root's, and a Node without a kubelet.
# Arguments: name of the site, its address.
set -eu
site=$1 address=$2 tools=/srv/machine/cache/tools folder=/var/lib/owners-cluster
kube=~root/.kube/config
mkdir -p $folder "${kube%/*}"
cd $folder
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=cluster of $site" \
  -keyout ca.key -out ca.crt -addext keyUsage=critical,keyCertSign,cRLSign 2> /dev/null
certificate() { # name, subject, extension
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2> /dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -out "$1.crt" 2> /dev/null \
    -extfile <(printf '%s\n' "$3")
}
certificate server "/CN=kube-apiserver" "subjectAltName=IP:$address,IP:127.0.0.1,IP:10.96.0.1,DNS:kubernetes"
certificate admin "/O=system:masters/CN=owner" extendedKeyUsage=clientAuth
openssl genrsa -out accounts.key 2048 2> /dev/null
runs="systemd-run --quiet --property Restart=always --property RestartSec=1"
k="$tools/bin/kubectl config --kubeconfig $kube"
$k set-cluster "$site" --server "https://$address:6443" --certificate-authority ca.crt --embed-certs
$k set-credentials "owner-$site" --client-certificate admin.crt --client-key admin.key --embed-certs
$k set-context "$site" --cluster "$site" --user "owner-$site"
$k use-context "$site"
$runs --unit owners-etcd $tools/bin/etcd --data-dir $folder/etcd --log-level=error \
  --listen-client-urls=http://127.0.0.1:23790 --advertise-client-urls=http://127.0.0.1:23790 \
  --listen-peer-urls=http://127.0.0.1:23800
$runs --unit owners-api $tools/bin/kube-apiserver --etcd-servers=http://127.0.0.1:23790 \
  --advertise-address="$address" --tls-cert-file=$folder/server.crt --tls-private-key-file=$folder/server.key \
  --client-ca-file=$folder/ca.crt --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=RBAC \
  --service-account-key-file=$folder/accounts.key --service-account-signing-key-file=$folder/accounts.key \
  --service-account-issuer=https://kubernetes.default.svc --allow-privileged=true --profiling=false
$runs --unit owners-controllers $tools/bin/kube-controller-manager --kubeconfig="$kube" \
  --controllers=csrsigning,namespace,clusterrole-aggregation,serviceaccount \
  --cluster-signing-cert-file=$folder/ca.crt --cluster-signing-key-file=$folder/ca.key --leader-elect=false \
  --root-ca-file=$folder/ca.crt --bind-address=127.0.0.1
for _ in $(seq 120); do
  if $tools/bin/kubectl get namespace kube-system > /dev/null 2>&1; then break; fi
  sleep 1
done
$tools/bin/kubectl create -f - <<END
{apiVersion: v1, kind: Node, metadata: {name: $site}}
END
$tools/bin/kubectl patch node "$site" --subresource=status --type=merge -p '{"status": {"capacity": {"cpu": "8"}}}'
mkdir -p /srv/shared/cluster
cp "$kube" /srv/shared/cluster/config-"$site"
cp ca.crt /srv/shared/cluster/cluster-ca-"$site".crt
