"""Which images there are, what is in them and how large they may become."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

REGISTRY = "localhost/shopsphere"
SHOP_UID = 10001
POSTGRES_UID = 26  # CloudNativePG's default postgresUID and postgresGID
POSTGRES_BIN = "/usr/lib/postgresql/15/bin"

# Nobody reads manuals or translated messages in a container, and gconv's and i18n's sources are for `localedef`.
NO_DOCUMENTATION = (
    "/usr/share/doc/*", "/usr/share/doc-base/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
    "/usr/share/i18n/*", "/usr/share/lintian/*", "/usr/share/bash-completion/*", "/usr/share/bug/*",
    "/usr/share/zoneinfo/right/*", "/etc/systemd/*", "/usr/lib/systemd/*", "/var/lib/systemd/*",
    "/usr/lib/init/*", "/etc/init.d/*", "/usr/lib/x86_64-linux-gnu/gconv/*",
)  # fmt: skip
# Perl runs Debian's wrappers around installation and services, none of which exist in a container.
NO_PERL = (
    "/usr/lib/x86_64-linux-gnu/perl*", "/usr/lib/x86_64-linux-gnu/libperl*", "/usr/share/perl*", "/usr/bin/perl*",
    "/usr/share/debconf/*", "/usr/sbin/adduser", "/usr/sbin/addgroup", "/usr/sbin/deluser", "/usr/sbin/delgroup",
    "/var/lib/dpkg/*", "/usr/lib/dpkg/*", "/usr/share/dpkg/*", "/usr/bin/dpkg*",
)  # fmt: skip


_DESKTOP_LIBRARIES = (
    "libasound", "libaudit", "libavahi", "libblkid", "libbrotli", "libcap-ng", "libcap.", "libcom_err", "libcups",
    "libdbus", "libdrop_ambient", "libexpat", "libffi", "libfontconfig", "libfree", "libgcrypt", "libgio",
    "libglib", "libgmodule", "libgnutls", "libgobject", "libgpg", "libgraphite", "libgssapi", "libgthread",
    "libharfbuzz", "libhogweed", "libidn", "libjpeg", "libk5", "libkeyutils", "libkrb5", "liblcms", "liblz4",
    "libmount", "libnettle", "libnspr", "libnss3", "libnssckbi", "libnssdbm", "libnssutil", "libp11", "libpam",
    "libpcsc", "libplc", "libplds", "libpng", "libpsx", "libsmartcols", "libsmime", "libsoftokn", "libsqlite",
    "libssl3.so", "libsystemd", "libtasn", "libtic", "libtinfo", "libudev", "libunistring", "libuuid", "nss",
    "security",
)  # fmt: skip
NO_DESKTOP = (
    *(f"/usr/lib/x86_64-linux-gnu/{name}*" for name in _DESKTOP_LIBRARIES),
    "/usr/share/alsa/*", "/usr/share/fontconfig/*", "/usr/share/fonts/*", "/usr/share/ca-certificates*",
    "/usr/share/gdb/*", "/usr/share/glib-2.0/*", "/usr/share/java/*", "/usr/share/pixmaps/*", "/usr/share/dict/*",
    "/usr/share/binfmts/*", "/usr/share/gcc/*", "/usr/share/menu/*", "/usr/share/util-linux/*", "/usr/libexec/*",
    "/usr/sbin/*", "/etc/fonts/*", "/etc/ssl/*", "/etc/pam.d/*", "/etc/security/*", "/etc/alternatives/*",
    "/usr/bin/openssl", "/usr/bin/c_rehash", "/usr/bin/mawk", "/usr/bin/tar",
)  # fmt: skip
"""What a Java development kit of Debian brings for windows, sound, printers and smart cards, and for its installer."""
NO_PYTHON_TOOLS = tuple(
    f"/usr/lib/python3.11/{name}/*" for name in ("test", "idlelib", "tkinter", "lib2to3", "ensurepip", "pydoc_data")
)
"""Parts of Python that no server needs."""


class Frozen(BaseModel):
    """A validated, frozen part of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class User(Frozen):
    """The account that an image runs as."""

    name: str
    uid: int = Field(gt=0)
    home: str = "/tmp"  # noqa: S108 - the one writable place of a read-only root file system


class Image(Frozen):
    """One image.

    Attributes:
        name: short name; `REGISTRY/name:tag` is the reference.
        content: how the root file system comes about.
        packages: Debian packages on top of the base layer.
        excludes: patterns of paths that are removed again.
        prefer: packages → version pattern to take while the archive still has it.
        programs: path in the image → tool that the lab built.
        links: path in the image → target of a symbolic link.
        directories: writable folders of the user.
        limit_mib: unpacked size that must not be exceeded.
        on_demand: only made when it is named, or when a stack of the lab has it.
    """

    name: str
    tag: str
    content: Literal["scratch", "debian", "shop", "collector", "java"]
    user: User
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    packages: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    prefer: dict[str, str] = {}
    programs: dict[str, str] = {}
    links: dict[str, str] = {}
    directories: tuple[str, ...] = ()
    limit_mib: int
    on_demand: bool = False

    @property
    def reference(self) -> str:
        """Name and tag on a node."""
        return f"{REGISTRY}/{self.name}:{self.tag}"


BASE_PACKAGES = ("base-files", "coreutils", "dash", "libc-bin", "libc6", "libssl3", "netbase", "tzdata", "zlib1g")
BASE_EXCLUDES = NO_DOCUMENTATION + NO_PERL

IMAGES: dict[str, Image] = {
    image.name: image
    for image in (
        Image(
            name="pause", tag="1", content="scratch", user=User(name="pause", uid=65535),
            programs={"/pause": "pause"}, entrypoint=("/pause",), limit_mib=4,
        ),
        Image(
            name="coredns", tag="1.15.0", content="scratch", user=User(name="coredns", uid=65532),
            programs={"/coredns": "coredns"}, entrypoint=("/coredns",), limit_mib=80,
        ),
        Image(
            # The operator looks for operator/manager_<architecture> and copies it into each database pod.
            name="cnpg-operator", tag="1.30.0", content="scratch", user=User(name="manager", uid=10001),
            programs={"/operator/manager_amd64": "cnpg-manager"}, links={"/manager": "operator/manager_amd64"},
            entrypoint=("/manager",), limit_mib=100,
        ),
        Image(
            # No entrypoint: the operator starts its own instance manager. LLVM (130 MiB) serves the JIT of long
            # analytical queries, which a shop has none of; without llvmjit.so PostgreSQL runs with JIT off.
            name="postgresql", tag="15.18-1", content="debian",
            user=User(name="postgres", uid=POSTGRES_UID, home="/var/lib/postgresql"),
            packages=("postgresql-15",),
            prefer=dict.fromkeys(("postgresql-15", "postgresql-client-15", "libpq5"), "15.18-*"),
            excludes=(
                "/usr/lib/llvm*", "*/libLLVM*", "*/libz3*", "*/llvmjit*", "*/bitcode/*",
                "/usr/share/postgresql/15/man/*", "/usr/share/postgresql-common/*", "/usr/bin/pg_*", "/usr/bin/psql",
            ),
            environment={"PATH": f"{POSTGRES_BIN}:/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
            directories=("/var/lib/postgresql",), limit_mib=400,
        ),
        Image(
            name="archive", tag="0.1.0", content="collector", user=User(name="archive", uid=SHOP_UID),
            packages=("python3.11", "python3-boto3", "postgresql-client-15", "age"),
            prefer=dict.fromkeys(("postgresql-client-15", "libpq5"), "15.18-*"),
            excludes=(
                *NO_PYTHON_TOOLS, "/usr/share/postgresql-common/*", "/usr/share/postgresql/15/man/*", "/usr/bin/pg_*",
                "/usr/bin/psql",
                # botocore describes each of Amazon's services; an archive speaks the language of one of them.
                "*/botocore/data/[!_eps]*", "*/botocore/data/e[!n]*", "*/botocore/data/p[!a]*",
                "*/botocore/data/s[!3d]*", "*/botocore/data/s3[co]*", "*/boto3/data/[!s]*", "*/boto3/examples/*",
            ),
            environment={
                "PATH": f"/opt/shop/bin:{POSTGRES_BIN}:/usr/bin:/bin", "PYTHONPATH": "/opt/shop",
                "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8",
            },
            entrypoint=("archive",), arguments=("collect",), limit_mib=200,
        ),
        Image(
            name="gateway", tag="2.6", content="debian", user=User(name="haproxy", uid=10001), packages=("haproxy",),
            environment={"PATH": "/usr/sbin:/usr/bin:/bin"}, entrypoint=("/usr/sbin/haproxy",),
            arguments=("-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"), limit_mib=120,
        ),
        Image(
            # libstdc++6: what the wheel of numpy is linked to and does not bring.
            name="shop", tag="0.1.0", content="shop", user=User(name="shop", uid=SHOP_UID),
            packages=("python3.11", "libstdc++6"),
            excludes=NO_PYTHON_TOOLS,
            environment={
                "PATH": "/opt/shop/bin:/usr/bin:/bin", "PYTHONPATH": "/opt/shop", "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8",
            },
            entrypoint=("shop",), arguments=("serve",), limit_mib=300,
        ),
        Image(
            # Its shell and sleep serve the one command that a pod's end needs; nothing else of the base is started.
            name="kafka", tag="4.4.0", content="java", user=User(name="kafka", uid=SHOP_UID),
            packages=("openjdk-17-jdk-headless",), excludes=NO_DESKTOP,
            environment={"PATH": "/opt/java/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
            entrypoint=("/opt/java/bin/java",), limit_mib=150, on_demand=True,
        ),
    )
}  # fmt: skip
