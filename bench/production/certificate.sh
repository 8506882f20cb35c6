#!/bin/bash
# A certificate of the owner's authority, which every host here trusts. Arguments: name, folder for it, other names.
set -eu
name=$1 into=$2 others=$3
mkdir -p "$into"
cd "$into"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout tls.key -out tls.csr 2> /dev/null
openssl x509 -req -in tls.csr -CA /srv/shared/owner/ca.crt -CAkey /srv/shared/owner/ca.key -days 90 -out tls.crt 2> /dev/null \
  -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$others")
