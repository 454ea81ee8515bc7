"""What the service says of itself: its abilities, its one kind of resource, and the schema of that."""

from __future__ import annotations

from functools import cache
from typing import Any

from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    ETag,
    External,
    Filter,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Schema,
    ServiceProviderConfig,
    Sort,
)

from scim.user import User

LARGEST_PAGE = 200


def config(base_url: str) -> dict[str, Any]:
    """/ServiceProviderConfig."""
    described = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=LARGEST_PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Service key",
                description="A service key of the account, with the right scim, as a bearer token.",
                spec_uri=Reference[External]("https://www.rfc-editor.org/rfc/rfc6750"),
                primary=True,
            )
        ],
    )
    return _dumped(described, f"{base_url}/ServiceProviderConfig", "ServiceProviderConfig")


def resource_types(base_url: str) -> list[dict[str, Any]]:
    """/ResourceTypes."""
    return [_dumped(ResourceType.from_resource(User), f"{base_url}/ResourceTypes/User", "ResourceType")]


def schemas(base_url: str) -> list[dict[str, Any]]:
    """/Schemas."""
    return [_dumped(_user_schema(), f"{base_url}/Schemas/{User.__schema__}", "Schema")]


@cache
def _user_schema() -> Schema:
    """The schema; it asks for an address, which only those may leave out whose userName is one."""
    schema = User.to_schema()
    schema.description = "A person of the account's staff."
    for attribute in schema.attributes or []:
        if attribute.name == "emails":
            attribute.required = Required.true
    return schema


def _dumped(resource: Resource[Any], location: str, kind: str) -> dict[str, Any]:
    dumped = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    return {**dumped, "meta": {"resourceType": kind, "location": location}}
