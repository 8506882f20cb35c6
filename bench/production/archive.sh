#!/bin/bash
# The owner's archive (docs/backups.md, "Your own archive"): an S3 gateway on folders, a bucket and an account for each
# database and site, `operator`, and `owner`, whose secret is there already.
# Arguments: its address, its sites.
set -eu
address=$1
shift
bash /srv/shared/certificate.sh archive-eu /root/archive "IP:$address,IP:127.0.0.1,DNS:archive-eu"
mkdir -p -m 700 /srv/disk/{store,versions,accounts}
systemd-run --quiet --unit owners-archive --property Restart=always --property RestartSec=1 bash -c "
  ROOT_SECRET_ACCESS_KEY=\"\$(cat /etc/shopsphere/archive/owner.secret)\" exec /srv/machine/cache/tools/bin/versitygw --access=owner \
    --port=$address:8443 --cert=/root/archive/tls.crt --key=/root/archive/tls.key --admin-port=127.0.0.1:8444 \
    --admin-cert=/root/archive/tls.crt --admin-cert-key=/root/archive/tls.key --iam-dir=/srv/disk/accounts --quiet \
    posix --dir-perms=0700 --file-perms=0600 --versioning-dir=/srv/disk/versions /srv/disk/store"
cd /opt/shopsphere
.venv/bin/python - "$address" "$@" <<'END'
import sys
from pathlib import Path

from lab.archive_accounts import ArchiveAccounts
from shopsphere.foundation.clock import wait_until

address, *sites = sys.argv[1:]
owned, secrets = Path("/etc/shopsphere/archive/owner.secret").read_text().strip(), Path("/srv/shared/owner/archive")
accounts = ArchiveAccounts(
    f"https://{address}:8443", "https://127.0.0.1:8444", Path("/srv/shared/owner/ca.crt"), "owner", owned
)
wait_until(accounts.answers, what="the archive", seconds=60)
accounts.ensure_account("operator", (secrets / "operator.secret").read_text())
for bucket in [f"{database}-{site}" for site in sites for database in ("commerce", "ledger")]:
    accounts.ensure_account(bucket, (secrets / f"{bucket}.secret").read_text())
    accounts.ensure_bucket(bucket, readers=["operator"])
    print(bucket)
END
