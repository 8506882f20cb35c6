"""What an owner installs on hosts: configurations and systemd units, written from topology and stacks."""
