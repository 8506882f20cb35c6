"""Starting, migrating, leaving: what a cluster does to the shop all day."""

import os
import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec
import pytest
from postgres_cluster import Cluster
from running_shop import Shop
from shop_processes import CALL_KEY, migrate, serve

from app.catalogue.seed.products import products
from app.errors import SettingsError
from app.media.render import render
from app.settings import PaymentsSettings, StorefrontSettings
from shopsphere.foundation.paths import REPOSITORY

SECRET = "x" * 40


@pytest.mark.requirement("migrations are idempotent and safe to start at once")
def test_migrating_again_and_at_once_changes_nothing(cluster: Cluster) -> None:
    before = cluster.query("commerce", "SELECT count(*), sum(free) FROM inventory.stock")
    with ThreadPoolExecutor(3) as pool:
        for done in pool.map(lambda _: migrate("commerce", cluster), range(3)):
            assert done.returncode == 0, done.stderr
    assert cluster.query("commerce", "SELECT count(*), sum(free) FROM inventory.stock") == before


@pytest.mark.requirement("a database that is away gives one clear error")
def test_migration_without_a_database_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "migrate", "ledger", "--seconds", "1"],
        cwd=REPOSITORY, text=True, capture_output=True,
        env={**os.environ, "LEDGER_DSN": "postgresql://ledger@127.0.0.1:1/ledger"}, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "expected:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.requirement("settings: every problem in one message, secrets in none")
def test_settings_name_all_problems_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        StorefrontSettings.read(
            {"SHOP_SESSION_SECRET": "short-secret", "SHOP_REGION_FACTS": "rdc-z", "COMMERCE_DSN": "mysql://x"}
        )
    message = str(refused.value)
    assert all(name in message for name in ("SHOP_SESSION_SECRET", "SHOP_REGION_FACTS", "COMMERCE_DSN"))
    assert "short-secret" not in message


def test_settings_put_the_password_into_the_dsn_and_never_show_it() -> None:
    settings = PaymentsSettings.read(
        {
            "LEDGER_DSN": "postgresql://ledger@db:5432/ledger",
            "LEDGER_PASSWORD": "p@ss/w",
            "PAYMENTS_CALL_KEY": CALL_KEY,
            "PSP_URL": "https://provider.example",
            "PSP_API_KEY": "a-key-of-the-provider",
        }
    )
    assert "a-key-of-the-provider" not in repr(settings)
    assert CALL_KEY not in repr(settings)
    assert settings.ledger_dsn == "postgresql://ledger:p%40ss%2Fw@db:5432/ledger"
    assert "p%40ss" not in repr(settings)


@pytest.mark.requirement("a rolling update loses no request")
def test_leaving_process_answers_everything_it_was_asked(shop: Shop, cluster: Cluster, rendered: Path) -> None:
    # As long as a customer's thread may stand still on a busy machine: each one is told with an answer to leave.
    storefront = serve(cluster, shop.payments.url, rendered, drain_seconds=10)
    failures: list[str | int] = []
    answered, over = [0], threading.Event()

    def browse() -> None:
        with httpx.Client(base_url=storefront.url, trust_env=False, timeout=60) as client:
            while not over.is_set():
                try:
                    answer = client.get("/products/tidal-rings-tee")
                except httpx.ConnectError:
                    return  # it stopped listening: in a cluster nobody is sent here any more
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                    return
                answered[0] += 1
                if answer.status_code != 200:
                    failures.append(answer.status_code)
                if answer.headers.get("connection") == "close":
                    return  # as a proxy does: the next request goes to another pod

    threads = [threading.Thread(target=browse) for _ in range(8)]
    for thread in threads:
        thread.start()
    while answered[0] < 40 and not failures:
        over.wait(0.01)
    storefront.ask_to_leave()
    assert storefront.wait() == 0
    over.set()
    for thread in threads:
        thread.join(timeout=90)
    assert failures == []
    assert '"stopped"' in storefront.log()


@pytest.mark.requirement("at least 500 products with pictures that we generate")
def test_catalogue_and_pictures_come_out_the_same_each_time(rendered: Path, tmp_path: Path) -> None:
    assert len(products()) >= 500
    assert len({product.slug for product in products()}) == len(products())
    render(tmp_path)
    first, second = ((folder / "manifest.json").read_bytes() for folder in (rendered, tmp_path))
    assert first == second
    names = msgspec.json.decode(first)
    for product in products():
        for colour in product.colours:
            picture = rendered / names[f"media/{product.picture(colour)}.svg"]
            root = ET.fromstring(picture.read_text())
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert picture.stat().st_size < 30_000


@pytest.mark.requirement("works without JavaScript, less than 10 KB of it")
def test_script_is_small_and_nothing_comes_from_third_parties(rendered: Path) -> None:
    names = msgspec.json.decode((rendered / "manifest.json").read_bytes())
    assert (rendered / names["static/shop.js"]).stat().st_size < 10_000
    for name in ("static/shop.js", "static/shop.css"):
        assert not re.search(r"https?://|@import", (rendered / names[name]).read_text())


@pytest.mark.requirement("the image has the versions that were tested")
def test_image_and_repository_lock_the_same_versions() -> None:
    def versions(path: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (REPOSITORY / path).read_text(), re.MULTILINE))

    ours, all_of_them = versions("app/requirements.lock"), versions("requirements.lock")
    assert ours
    assert {name: all_of_them.get(name) for name in ours} == ours
