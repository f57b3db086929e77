"""The error tree."""

import pickle
import re

import pytest

from smartabsen.kernel import errors
from smartabsen.kernel.errors import NotFoundError, SmartAbsenError


def tree(cls: type[SmartAbsenError]) -> list[type[SmartAbsenError]]:
    return [cls, *(grandchild for child in cls.__subclasses__() for grandchild in tree(child))]


def test_the_drawing_in_the_docstring_is_the_tree() -> None:
    """Name, exit code and HTTP status of each class stand in the module's docstring as they are in the code."""
    drawn = dict(re.findall(r"(\w+Error)\s+(\d+\s+\d+)", errors.__doc__ or ""))
    actual = {cls.__name__: f"{cls.exit_code}   {cls.http_status}" for cls in tree(SmartAbsenError)[1:]}
    assert drawn == actual


def test_each_class_has_a_code_of_its_own() -> None:
    """Scripts can tell errors apart by their code."""
    codes = [cls.code for cls in tree(SmartAbsenError)]
    assert len(codes) == len(set(codes))


def test_message_and_hint_are_filled_from_the_parameters() -> None:
    """An error says what it is about."""
    error = NotFoundError("No employee has the code {code}.", hint="Try “employee list {code}”.", code="E9")
    assert (str(error), error.hint) == ("No employee has the code E9.", "Try “employee list E9”.")


@pytest.mark.parametrize("cls", tree(SmartAbsenError))
def test_an_error_survives_the_way_from_a_worker_process(cls: type[SmartAbsenError]) -> None:
    """Pickling keeps class, message, hint and parameters."""
    copy = pickle.loads(pickle.dumps(cls("It is {what}.", hint="Do {what}.", what="broken")))
    assert (type(copy), str(copy), copy.hint) == (cls, "It is broken.", "Do broken.")
