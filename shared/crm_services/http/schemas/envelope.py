"""What all answers have in common."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Data = TypeVar("Data")

Count = Annotated[int, Field(ge=0)]


class Schema(BaseModel):
    """Described in the OpenAPI document; built when somebody validates with it, as no request does."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def columns(cls) -> list[str]:
        """What a table of such rows has a column of."""
        return list(cls.model_fields)


class Answer(Schema, Generic[Data]):
    """The envelope of every success with data."""

    success: Literal[True]
    data: Data


class Failure(Schema):
    """The one body of every failure."""

    success: Literal[False]
    error: str = Field(description="For a person, in the language of the CRM's session, else of Accept-Language")
