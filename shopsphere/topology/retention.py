"""How long the shop keeps what it holds about people, by class of data."""

from __future__ import annotations

from pydantic import Field

from shopsphere.topology.base import Frozen

LONGEST_YEARS = 30


class PersonalRetention(Frozen):
    """Sessions, carts and what forms leave behind."""

    session_days: int = Field(
        default=30,
        title="Session",
        description="Days that a session, the cart of a guest and the cookie live after their last use. At most 400: "
        "browsers keep no cookie for longer.",
        ge=2,
        le=400,
        strict=True,
    )
    unused_session_days: int = Field(
        default=2,
        title="Unused session",
        description="Days that a session lives whose cookie never came back; no more than session_days.",
        ge=1,
        le=30,
        strict=True,
    )
    cart_days: int = Field(
        default=180,
        title="Cart",
        description="Days that a cart lives after its last change.",
        ge=1,
        le=1100,
        strict=True,
    )
    form_days: int = Field(
        default=7,
        title="Form",
        description="Days that the result of a form is known, in case it is sent again.",
        ge=1,
        le=90,
        strict=True,
    )
    wrong_password_days: int = Field(
        default=1,
        title="Wrong password",
        description="Days that wrong passwords are counted for; the account is known by a keyed hash only.",
        ge=1,
        le=90,
        strict=True,
    )


class PaymentRetention(Frozen):
    """What payments leave with an order."""

    card_token_days: int = Field(
        default=2,
        title="Card token",
        description="Days that an order keeps the provider's token of its card after it was paid or declined.",
        ge=1,
        le=400,
        strict=True,
    )


class FulfilmentRetention(Frozen):
    """Whom parcels went to."""

    recipient_years: int = Field(
        default=10,
        title="Recipient",
        description="Years, from the end of the year of an order, for which it keeps name, address and words of its "
        "customer, since tax law wants the books kept. A jurisdiction may have a number of its own.",
        ge=1,
        le=LONGEST_YEARS,
        strict=True,
    )


class Retention(Frozen):
    """How long each class of data is kept; what is left out has the default."""

    personal: PersonalRetention = Field(
        default=PersonalRetention(), title="Personal", description="Data of the class `personal`."
    )
    payment: PaymentRetention = Field(
        default=PaymentRetention(), title="Payment", description="Data of the class `payment`."
    )
    fulfilment: FulfilmentRetention = Field(
        default=FulfilmentRetention(), title="Fulfilment", description="Data of the class `fulfilment`."
    )
