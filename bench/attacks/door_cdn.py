"""The gateways' entry for the CDN at port 8443, and what of it other entries hand out."""

from __future__ import annotations

from collections.abc import Iterator

from attacked import Scene
from attempt import (
    CLIENT,
    CLOSED,
    DESK,
    HOST,
    POD,
    PORT,
    STATUS,
    TLS,
    TLS_HELLO,
    Attempt,
    Control,
    Question,
    attempt,
    get,
    post,
    tcp,
)
from door_edge_apis import certificate
from door_witness import certificate_elsewhere

from shopsphere.clients.edge_identity import DEPLOYER, PULLER, RUNBOOKS, WATCHER
from shopsphere.estate.cdn_origin import ORIGIN_PORT
from shopsphere.estate.site_health import SERVING_PATH


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield what is tried at the CDN's entry of both sites, and at the other entries for static assets."""
    for site in scene.pair.sites:
        yield from _of_site(scene, site)
    reach = [tcp(scene.address(each), ORIGIN_PORT, TLS_HELLO) for each in scene.pair.sites]
    known = Control(DESK, (_asked(scene, scene.pair.primary, SERVING_PATH, certificate(PULLER)),), r"^http 200 serving")
    yield attempt("C6", "reach the CDN's entry", POD, reach, PORT, control=known)


def _asked(scene: Scene, site: str, path: str, shown: list[str] | None = None, port: int = ORIGIN_PORT) -> Question:
    """Return a question at an entry of a site, by the shop's name."""
    url = f"https://{scene.topology.shop_host}:{port}{path}"
    return get(url, at=scene.address(site), headers={"Host": scene.topology.shop_host}, certificate=shown or [])


def _of_site(scene: Scene, site: str) -> Iterator[Attempt]:
    static = f"/static/{scene.mark}.js"
    # Whether it serves or not, this entry has answered whoever shows the CDN's certificate.
    known = Control(DESK, (_asked(scene, site, SERVING_PATH, certificate(PULLER)),), r"^http (200 serving|503 )")
    yield attempt(
        "C6",
        f"fetch from the CDN's entry of {site} without a certificate",
        CLIENT,
        [_asked(scene, site, each) for each in (static, SERVING_PATH, "/")],
        TLS,
        CLOSED,
        control=known,
    )
    foreign = certificate_elsewhere(scene.other.name)
    yield attempt(
        "C6",
        f"fetch from the CDN's entry of {site} with a certificate of another authority",
        HOST,
        [_asked(scene, site, static, foreign)],
        TLS,
        CLOSED,
        control=known,
    )
    for user in (WATCHER, RUNBOOKS, DEPLOYER):
        yield attempt(
            "C6",
            f"fetch from the CDN's entry of {site} as {user} of the edge",
            CLIENT,
            [_asked(scene, site, static, certificate(user))],
            STATUS,
            statuses=(403,),
            control=known,
        )
    personal = [
        _asked(scene, site, each, certificate(PULLER))
        for each in ("/", "/cart", "/account", "/readyz", "/static/../cart")
    ]
    posted = {**_asked(scene, site, static, certificate(PULLER)), "method": "POST", "body": "a=1"}
    yield attempt(
        "C6",
        f"read more than static assets at {site} with the CDN's own certificate",
        CLIENT,
        [*personal, posted],
        STATUS,
        statuses=(403,),
        control=known,
    )
    name, address = scene.topology.shop_host, scene.address(site)
    for version in ("TLSv1_2", "TLSv1_3"):
        taken = {"resume": [address, 443, ORIGIN_PORT], "name": name, "path": static, "version": version}
        yield attempt(
            "C6",
            f"take a session of {site}'s port 443 on at {ORIGIN_PORT} with {version}",
            CLIENT,
            [taken],
            STATUS,
            TLS,
            CLOSED,
            statuses=(403,),
            control=known,
        )
    clear: Question = get(f"http://{address}:{ORIGIN_PORT}{static}", headers={"Host": name})
    yield attempt(
        "C6",
        f"ask {site}'s entry for the CDN in clear",
        CLIENT,
        [clear],
        CLOSED,
        STATUS,
        statuses=(400,),
        control=known,
    )
    host = {"headers": {"Host": scene.topology.static_host}}
    over_http = [get(f"http://{address}{each}", **host) for each in (static, "/media/x.webp", "/cart")]
    redirects = Control(CLIENT, (get(f"http://{address}/", headers={"Host": name}),), r"^http 301\b")
    yield attempt(
        "C6",
        f"fetch static assets from {site} over port 80",
        CLIENT,
        over_http,
        STATUS,
        statuses=(403,),
        control=redirects,
    )
    open_ = Control(CLIENT, (_asked(scene, site, "/", port=443),), r"^http (200|503) ")
    yield attempt(
        "C6",
        f"fetch static assets from {site} past the CDN",
        CLIENT,
        [_asked(scene, site, each, port=443) for each in (static, "/media/x.webp")],
        STATUS,
        statuses=(404,),
        control=open_,
    )
    yield attempt(
        "C6",
        f"post to {site} over port 80",
        CLIENT,
        [post(f"http://{address}/checkout", {})],
        STATUS,
        statuses=(403,),
        control=redirects,
    )
