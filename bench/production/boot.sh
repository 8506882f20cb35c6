#!/bin/bash
# PID 1 of a host, in fresh namespaces: makes a root of its own from this machine's /usr and /etc, with nothing else of
# this machine in it, waits for eth0, and becomes systemd. What it mounts goes with its mount namespace.
# Arguments: name of the host, folder for its root, folder that all hosts share, repository's folder, folder for its disk, ro
# or rw; or the name alone, for a host that was off: its files are there, and what the kernel holds is not.
set -eu
name=$1 root=${2:-/}
mount --make-rprivate /

build_root() { # shared folder, repository, disk, ro or rw
  local shared=$1 repository=$2 disk=$3 right=$4
  mount -t tmpfs -o size=768m,mode=755 tmpfs "$root"
  cd "$root"
  mkdir -p usr etc var/{log,lib,cache,tmp,spool,mail} root proc sys dev run opt/shopsphere home srv/{machine,shared,disk} tmp media mnt
  mkdir -p .layers/{usr,usr-work,etc,etc-work}
  chmod 1777 tmp var/tmp
  chmod 700 root
  ln -s ../run var/run
  for link in bin sbin lib lib64; do ln -s "usr/$link" "$link"; done
  for part in usr etc; do
    mount -t overlay -o "lowerdir=/$part,upperdir=.layers/$part,workdir=.layers/$part-work" overlay "$part"
  done
  # A bare host: nothing of what this machine starts, mounts, resolves or trusts in shopsphere's name.
  rm -rf etc/systemd/system etc/systemd/network etc/rc?.d etc/init.d etc/shopsphere etc/sysctl.d etc/cron* etc/postgresql
  mkdir -p etc/systemd/system etc/sysctl.d etc/init.d var/lib/haproxy
  : > etc/fstab
  echo "$name" > etc/hostname
  rm -f etc/machine-id etc/resolv.conf usr/local/bin/etcd
  tr -d - < /proc/sys/kernel/random/uuid > etc/machine-id # an empty one is a first boot, at which systemd enables every unit
  cp "$shared/hosts" etc/hosts
  cat "$shared/owner/ca.crt" >> etc/ssl/certs/ca-certificates.crt
  # Nor what takes places of the kernel's table of inotify, which is one for all hosts of a machine and short.
  for unit in dbus.service dbus.socket systemd-ask-password-{console,wall}.path dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    sys-kernel-config.mount proc-sys-fs-binfmt_misc.automount systemd-udevd.service systemd-binfmt.service \
    systemd-timesyncd.service systemd-logind.service getty.target e2scrub_reap.service fstrim.timer; do
    ln -s /dev/null "etc/systemd/system/$unit"
  done
  mount --bind "$shared" srv/shared
  mount --bind "$disk" srv/disk # what would fill memory: images, volumes
  mount --bind "$repository" opt/shopsphere
  mount -o "remount,bind,$right" opt/shopsphere
  tools=${XDG_CACHE_HOME:-$HOME/.cache}/shopsphere
  if [ -d "$tools/tools" ]; then
    mkdir -p srv/machine/cache/tools
    mount --bind "$tools/tools" srv/machine/cache/tools
    mount -o remount,bind,ro srv/machine/cache/tools
    for part in pulumi images packages; do
      if [ ! -d "$tools/$part" ]; then continue; fi
      mkdir -p .layers/"$part"{,-work} "srv/machine/cache/$part"
      mount -t overlay -o "lowerdir=$tools/$part,upperdir=.layers/$part,workdir=.layers/$part-work" overlay "srv/machine/cache/$part"
    done
  fi
  # For a node alone: systemd has the unified hierarchy, and containers' programs know the others at their usual place only.
  mkdir srv/machine/cgroup
  mount -t tmpfs -o mode=755 tmpfs srv/machine/cgroup
  for hierarchy in cpu cpuacct cpuset memory devices freezer blkio pids; do
    mkdir "srv/machine/cgroup/$hierarchy"
    mount -t cgroup -o "$hierarchy" cgroup "srv/machine/cgroup/$hierarchy" || rmdir "srv/machine/cgroup/$hierarchy"
  done
  mkdir srv/machine/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup srv/machine/cgroup/systemd || rmdir srv/machine/cgroup/systemd
  mount -t tmpfs -o mode=755 tmpfs dev
  mkdir dev/{pts,shm,net,mqueue}
  for node in null zero full random urandom tty; do touch "dev/$node" && mount --bind "/dev/$node" "dev/$node"; done
  mknod dev/net/tun c 10 200 && chmod 666 dev/net/tun
  mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%:*}" "dev/${number#*:}"; done
  mount -t tmpfs -o mode=1777 tmpfs dev/shm
}

if [ $# -gt 1 ]; then
  build_root "$3" "$4" "$5" "$6"
else
  cd /
fi
# Settings of the whole kernel are out of reach; those of this network are the host's own.
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t proc proc mnt
mount --bind mnt/sys/net proc/sys/net
umount mnt
if [ $# -eq 1 ]; then umount -l -R /run /sys; fi # else systemd takes what was mounted there for mounted
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t cgroup2 cgroup2 sys/fs/cgroup
hostname "$name"
if [ $# -gt 1 ]; then
  mkdir .before
  pivot_root . .before
  umount -l /.before
  rmdir /.before
fi
ip link set lo up
for _ in $(seq 300); do
  if ip -4 address show dev eth0 2> /dev/null | grep -q inet; then break; fi
  sleep 0.1
done
# Not even root of a host may set this machine's clock, load modules, or restart it.
exec env -i container=shopsphere-production PATH=/usr/sbin:/usr/bin \
  setpriv --bounding-set -sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog \
  /usr/lib/systemd/systemd --log-target=journal --show-status=0 systemd.unit=multi-user.target
