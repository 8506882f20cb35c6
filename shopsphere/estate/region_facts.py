"""What the shop's processes are told of their region; app/region.py reads it, and imports nothing of ours."""

from __future__ import annotations

import json

from shopsphere.topology import Topology


def region_facts(topology: Topology, pair_name: str) -> str:
    """Return a pair's storefront and its currency as one line of JSON, the value of SHOP_REGION_FACTS.

    Raises:
        UnknownNameError: the topology has no such pair.
    """
    pair = topology.pair(pair_name)
    shop = pair.storefront
    currency = topology.currency(shop.currency)
    facts = {
        "pair": pair_name,
        "title": shop.title,
        "language": shop.language,
        "currency": shop.currency,
        "currency_sign": currency.sign,
        "minor_digits": currency.minor_digits,
        "price_factor": currency.price_factor,
        "group": shop.number_format.group,
        "decimal": shop.number_format.decimal,
        "sign_after": shop.number_format.sign_after,
        "prices_include_tax": shop.prices_include_tax,
        "shipping_minor": shop.shipping_minor,
        "free_shipping_from_minor": shop.free_shipping_from_minor,
        "order_prefix": shop.order_prefix,
        "legal_texts": shop.legal_texts,
        "seller": shop.seller.model_dump() if shop.seller else None,
        "delivers_to": shop.delivers_to,
        "tax_name": shop.tax.name if shop.tax else "",
        "tax_percent": shop.tax.percent if shop.tax else {},
        "tax_percent_of_kind": shop.tax.percent_of_kind if shop.tax else {},
    }
    facts["retention"] = {
        **topology.retention.personal.model_dump(),
        **topology.retention.payment.model_dump(),
        "recipient_years": topology.recipient_years(pair.jurisdiction),
    }
    return json.dumps(facts, ensure_ascii=False)
