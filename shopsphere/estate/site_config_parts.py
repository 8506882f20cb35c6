"""Types of which a stack's configuration is made: texts with a form, and models that refuse unknown keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import InitErrorDetails, PydanticCustomError

from shopsphere.topology.quantities import QuantityError, parse_quantity


def _quantity(text: str) -> str:
    try:
        parse_quantity(text)
    except QuantityError as error:
        raise ValueError("should be a quantity as in 250m or 512Mi") from error
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("should be an address like https://host or http://host:port")
    return text.rstrip("/")


def _secure_address(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError("should be an https:// address: who answers there, and who asks, is proven by certificates")
    return _web_address(text)


Quantity = Annotated[str, AfterValidator(_quantity)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
SecureAddress = Annotated[str, AfterValidator(_secure_address)]
Text = Annotated[str, Field(min_length=1)]


class Frozen(BaseModel):
    """A part of the configuration; its keys are written in camelCase."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    declared_elsewhere: ClassVar[Mapping[str, str]] = {}
    """Keys that somebody may look for here, and what is expected instead: the fact has another, single place."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_is_declared_elsewhere(cls, value: Any) -> Any:
        found = [key for key in cls.declared_elsewhere if isinstance(value, Mapping) and key in value]
        if found:
            reasons = [
                InitErrorDetails(
                    type=PydanticCustomError("declared_elsewhere", "{reason}", {"reason": cls.declared_elsewhere[key]}),
                    loc=(key,),
                    input=value[key],
                )
                for key in found
            ]
            raise ValidationError.from_exception_data(cls.__name__, reasons)
        return value
