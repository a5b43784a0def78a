"""What the endpoints of links answer: who is linked to what, why not, and what people said of it."""

from typing import Literal

from pydantic import Field

from crm_services.http.schemas.envelope import Answer, Count, Schema

LinkedBy = Literal["confirmed", "crm", "email"]


class Reason(Schema):
    """Why a customer is linked as it is, or not at all."""

    code: Literal[
        "linked_confirmed", "linked_crm", "linked_email", "linked_ambiguous", "linked_shared", "no_address",
        "not_an_address", "no_account", "held_back", "account_refused", "was_linked", "names_nobody",
    ]  # fmt: skip
    text: str = Field(description="The same in words, in the caller's language")


class LinkedAccount(Schema):
    """The account that a customer is linked to."""

    id: int = Field(description="user_access.id")
    name: str
    email: str | None = None
    is_active: bool


class SuggestionSchema(Schema):
    """An account that may be the customer's: confirm it, or refuse it for good."""

    account_id: int = Field(description="user_access.id")
    name: str
    email: str | None = None
    kind: Literal["exact", "typed", "punycode", "mailbox", "typo", "name", "company"]
    score: int = Field(ge=0, le=100, description="The likelier, the higher")
    reason: str = Field(description="The kind in words, in the caller's language")


class Said(Schema):
    """What was said of a customer's links, at a moment."""

    confirmed: int | None = Field(None, description="user_access.id")
    refused: list[int] = Field(description="user_access.id of each")


class LinkChange(Schema):
    """Somebody said something else than before."""

    changed_by: int = Field(description="user_access.id")
    changed_at: str = Field(description="UTC")
    before: Said
    after: Said


class LinkSchema(Schema):
    """A customer, what it is linked to and by what, or why it is not."""

    customer_id: int
    name: str
    company: str | None = None
    email: str | None = Field(None, description="As it stands in the CRM's field")
    owner_id: int | None = Field(None, description="The mine owner that the customer belongs to")
    state: Literal["linked", "unlinked", "ambiguous", "suggested", "lost", "shared"] = Field(
        description="ambiguous and shared are linked; suggested and lost are not. shared is as of the last batch"
    )
    reasons: list[Reason]
    account: LinkedAccount | None = None
    linked_by: LinkedBy | None = None
    suggestions: list[SuggestionSchema] = Field(description="For one without an account: the best three")
    refused: list[int] = Field(description="Accounts that are never linked nor suggested")
    changes: list[LinkChange] = Field(description="The newest ten, newest first")


class HeldBack(Schema):
    """A customer and the account that was, or would be, confirmed for it."""

    customer_id: int
    name: str
    owner_id: int
    account_id: int


class ConfirmedSchema(Schema):
    """What became of the exact matches that link scope `tenant` holds back."""

    confirmed: Count = Field(description="Links confirmed, or, in a dry run, that would be")
    remaining: Count = Field(description="More of the same: ask again")
    ambiguous: Count = Field(description="Customers left as they are: several accounts match")
    created_by_another: Count = Field(description="Left as they are: another owner created the account")
    claimed_twice: Count = Field(description="Left as they are: customers of several owners have the address")
    links: list[HeldBack] = Field(description="The first hundred")


class LinksAnswer(Answer[list[LinkSchema]]):
    """A page of customers, which may be short; `next` is the `after` of the next page, null at the end."""

    next: int | None = None


class LinkAnswer(Answer[LinkSchema]):
    """A customer's link as it stands now; the next sync writes its figures."""


class ConfirmedAnswer(Answer[ConfirmedSchema]):
    """Links were confirmed, or would be."""

    message: str
