"""Languages: a person's own choice, and an account's for emails to whoever has chosen none."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import strawberry

import resolvers.access
import resolvers.languages
from schema.common import Info
from schema.failures import NotPermitted


@strawberry.enum(description="A language that emails and pages are written in.")
class Language(Enum):
    EN = strawberry.enum_value("EN", description="English.")
    DE = strawberry.enum_value("DE", description="German.")
    ES = strawberry.enum_value("ES", description="Spanish.")
    FR = strawberry.enum_value("FR", description="French.")
    PT = strawberry.enum_value("PT", description="Portuguese.")


@strawberry.input(description="In which language the viewer gets emails and pages.")
class SetLanguageInput:
    language: Language | None = strawberry.field(
        default=None, description="Null for the account's in emails, and the browser's on pages."
    )


@strawberry.type(description="Emails and pages come in the language from now on.")
class LanguageSet:
    language: Language | None = strawberry.field(description="The viewer's choice; null when it is left open.")


@strawberry.input(description="In which language an account's emails come to whoever has chosen none.")
class SetAccountLanguageInput:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    language: Language = strawberry.field(description="The language.")


@strawberry.type(description="Emails to whoever has chosen no language come in this one from now on.")
class AccountLanguageSet:
    language: Language = strawberry.field(description="The account's language.")


SetAccountLanguageResult = Annotated[
    AccountLanguageSet | NotPermitted,
    strawberry.union("SetAccountLanguageResult", description="What came of setting the account's language."),
]


@strawberry.type
class LanguageMutation:
    @strawberry.mutation(description="Chooses the language of the viewer's emails and pages.")
    async def set_language(
        self,
        info: Info,
        input: Annotated[SetLanguageInput, strawberry.argument(description="The language.")],  # noqa: A002
    ) -> LanguageSet | None:
        await resolvers.languages.choose(info.context, input.language.name.lower() if input.language else None)
        return LanguageSet(language=input.language)

    @strawberry.mutation(
        description="Sets the language of an account's emails to whoever has chosen none. Owners and admins only."
    )
    async def set_account_language(
        self,
        info: Info,
        input: Annotated[SetAccountLanguageInput, strawberry.argument(description="The language.")],  # noqa: A002
    ) -> SetAccountLanguageResult | None:
        account_id = resolvers.access.parse_id(input.account_id)
        await resolvers.languages.set_of_account(info.context, account_id, input.language.name.lower())
        return AccountLanguageSet(language=input.language)
