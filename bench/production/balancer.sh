#!/bin/bash
# The owner's load balancer at a site: gives each service of that type the site's public address.
# Arguments: an administrator's kubeconfig, the address.
k="/srv/machine/cache/tools/bin/kubectl --kubeconfig $1"
while sleep 3; do
  $k get services --all-namespaces --output \
    'jsonpath={range .items[?(@.spec.type=="LoadBalancer")]}{.metadata.namespace} {.metadata.name} {.status.loadBalancer.ingress[0].ip}{"\n"}{end}' |
    while read -r namespace name given; do
      if [ -z "$given" ]; then
        $k patch service --namespace "$namespace" "$name" --subresource=status --type=merge \
          --patch "{\"status\": {\"loadBalancer\": {\"ingress\": [{\"ip\": \"$2\", \"ipMode\": \"VIP\"}]}}}"
      fi
    done
done
