"""Bringing keys of a zone to its authorities, and reading which of them sign."""

from __future__ import annotations

from pathlib import Path

from shopsphere.clients.edge_errors import VerificationError
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.names.zone_keys import RETIRED, ZoneKey, ZoneKeyError, kept_keys, key_file, private_text, retired_keys

SIGNED, UNSIGNED = "signed", "unsigned"


def signing_keys(authority: DnsAuthority, zone: str) -> frozenset[str]:
    """Return the DNSKEYs with which an authority signs a zone."""
    return frozenset(each.dnskey for each in authority.zone_keys(zone) if each.signs)


def bring_key(authority: DnsAuthority, zone: str, key: ZoneKey, folder: Path) -> None:
    """Let an authority sign with a key that it does not sign with yet, beside those that it has.

    Args:
        authority: one of the zone's.
        zone: fully qualified.
        key: its public half.
        folder: where private halves are kept.

    Raises:
        ZoneKeyError: the private half is not in the folder, or the key was retired.
        VerificationError: the authority took it and does not sign with it.
    """
    if key.dnskey in retired_keys(folder):
        raise ZoneKeyError.build(
            f"key {key.tag} of {zone} was retired: it signs nothing any more",
            expected="a key that is in use",
            found=f"{key.tag} in {folder / RETIRED}",
            action="`shopsphere zone keys` says which keys sign (docs/zone-keys.md)",
        )
    file = kept_keys(folder).get(key.dnskey)
    if file is None:
        raise ZoneKeyError.build(
            f"DNS authority {authority.name} lacks key {key.tag} of {zone}, and its private half is not here",
            expected=str(key_file(folder, key)),
            found=", ".join(each.name for each in kept_keys(folder).values()) or "no keys",
            action="bring the file from where it is kept; if it is lost, docs/zone-keys.md says what to do",
        )
    private = private_text(file)
    for each in authority.zone_keys(zone):
        if each.dnskey == key.dnskey:  # somebody switched it off, or hid it
            authority.remove_zone_key(zone, each.number)
    authority.add_zone_key(zone, private)
    if key.dnskey not in signing_keys(authority, zone):
        raise VerificationError.build(
            f"DNS authority {authority.name} does not sign {zone} with the key that it took",
            expected=f"key {key.tag}",
            found=", ".join(str(ZoneKey(each).tag) for each in signing_keys(authority, zone)) or "no key",
            action="does its configuration say gsqlite3-dnssec=yes? (docs/zone-keys.md)",
        )


def take_key(authority: DnsAuthority, zone: str, key: ZoneKey, *, stays: ZoneKey | None = None) -> None:
    """Let an authority forget a key.

    Args:
        authority: one of the zone's.
        zone: fully qualified.
        key: that goes.
        stays: with which it has to sign; any other one where it is not named.

    Raises:
        ZoneKeyError: it does not: without that key, what it answers would count as forged.
    """
    held = authority.zone_keys(zone)
    others = {each.dnskey for each in held if each.signs} - {key.dnskey}
    if not others or (stays and stays.dnskey not in others):
        wanted = f"does not sign {zone} with key {stays.tag}" if stays else f"has no other key of {zone}"
        raise ZoneKeyError(f"DNS authority {authority.name} {wanted}: key {key.tag} stays")
    for each in held:
        if each.dnskey == key.dnskey:
            authority.remove_zone_key(zone, each.number)
