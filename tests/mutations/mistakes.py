# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a mistake is said: by the name of what it is made in, and by what is wrong there, not by lines of code.

A function, a class or a constant of a module is found by its qualified name. Each operation here makes a mistake in the
one place of it that fits, and refuses with a ValueError where none fits, or several do. What is moved, formatted or
rewritten elsewhere breaks no mistake so.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import accumulate
from typing import TypeVar, Union

Node = TypeVar("Node", bound=ast.AST)
#: What is written in the place of which parts.
Edits = list[tuple[Union[ast.expr, ast.stmt], str]]
Mistake = Callable[[ast.AST], Edits]
#: A name, an attribute or a constant.
Word = Union[str, int]


def made(source: str, name: str, mistake: Mistake) -> str:
    """The source with a mistake in what has the qualified name; all around it stays as it is written."""
    lines = source.encode().splitlines(keepends=True)
    starts = list(accumulate(map(len, lines), initial=0))
    wrong = b"".join(lines)
    edits = sorted(mistake(find(source, name)), key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True)
    for node, code in edits:
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        wrong = wrong[:begin] + code.encode() + wrong[end:]
    return wrong.decode()


def find(source: str, name: str) -> ast.AST:
    """What a module defines under a name, which for what a class defines begins with that of the class."""
    found = _parsed(source)
    for part in name.split("."):
        body = getattr(found, "body", [])
        found = _only((node for node in body if part in _defined(node)), f"definition of {name}")
    return found


def defines(source: str, name: str) -> bool:
    try:
        find(source, name)
    except ValueError:
        return False
    return True


@cache
def _parsed(source: str) -> ast.AST:
    return ast.parse(source)


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def always(*words: Word) -> Mistake:
    """The smallest condition that has all the words, which may be one of several in an `or`, is taken for true."""
    return lambda place: [(_condition(place, words), "True")]


def never(*words: Word) -> Mistake:
    """The smallest condition that has all the words is taken for false."""
    return lambda place: [(_condition(place, words), "False")]


def without(*words: Word) -> Mistake:
    """The statement that has all the words, and no block, is left out."""
    return lambda place: [(_statement(place, words), "pass")]


def another(right: Word, wrong: Word) -> Mistake:
    """A constant is another one."""

    def constant(place: ast.AST) -> Edits:
        # The pieces of a formatted string have no place of their own before Python 3.12.
        pieces = {id(piece) for node in ast.walk(place) if isinstance(node, ast.JoinedStr) for piece in node.values}
        fitting = (node for node in _all(place, ast.Constant) if _is(node, right) and id(node) not in pieces)
        return [(_only(fitting, f"constant {right!r}"), repr(wrong))]

    return constant


def given(name: str, code: str) -> Mistake:
    """What is given under a name, as an argument or in a dictionary, is the result of the code."""

    def value(place: ast.AST) -> Edits:
        arguments = [node.value for node in _all(place, ast.keyword) if node.arg == name]
        entries = [
            value
            for node in _all(place, ast.Dict)
            for key, value in zip(node.keys, node.values)
            if key is not None and _is(key, name)
        ]
        return [(_only([*arguments, *entries], f"value given as {name}"), code)]

    return value


def instead(name: str, code: str) -> Mistake:
    """Where a function is called, or a value read, the code is run, in which `...` is what stood there."""

    def use(place: ast.AST) -> Edits:
        calls = [node for node in _all(place, ast.Call) if _is(node.func, name)]
        reads = [node for node in _all(place, ast.Name) if _is(node, name) and isinstance(node.ctx, ast.Load)]
        found = _only(calls or reads, f"use of {name}")
        return [(found, code.replace("...", ast.unparse(found)))]

    return use


def becomes(code: str) -> Mistake:
    """A constant of the module is the result of the code."""

    def value(place: ast.AST) -> Edits:
        if not isinstance(place, (ast.Assign, ast.AnnAssign)) or place.value is None:
            raise ValueError("no constant stands there")
        return [(place.value, code)]

    return value


def swapped(one: str, other: str) -> Mistake:
    """Two constants of a class have each other's value."""

    def values(place: ast.AST) -> Edits:
        first, second = (
            _only((node.value for node in _all(place, ast.Assign) if name in _defined(node)), name)
            for name in (one, other)
        )
        return [(first, ast.unparse(second)), (second, ast.unparse(first))]

    return values


def _condition(place: ast.AST, words: tuple[Word, ...]) -> ast.expr:
    fitting = [each for each in _conditions(place) if _has(each, words)]
    smallest = (each for each in fitting if not any(node in fitting for node in ast.walk(each) if node is not each))
    return _only(smallest, f"condition with {words}")


def _conditions(place: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(place):
        if isinstance(node, (ast.If, ast.While, ast.IfExp)):
            yield node.test
        elif isinstance(node, ast.comprehension):
            yield from node.ifs
        elif isinstance(node, ast.BoolOp):
            yield from node.values


def _statement(place: ast.AST, words: tuple[Word, ...]) -> ast.stmt:
    simple = (node for node in _all(place, ast.stmt) if not hasattr(node, "body"))
    return _only((node for node in simple if _has(node, words)), f"statement with {words}")


def _has(node: ast.AST, words: tuple[Word, ...]) -> bool:
    return all(any(_is(each, word) for each in ast.walk(node)) for word in words)


def _is(node: ast.AST, word: Word) -> bool:
    """Whether it is the name, the attribute or the constant."""
    said = getattr(node, "id", None) or getattr(node, "attr", None)
    if isinstance(node, ast.Constant):
        # True equals 1.
        said = node.value if type(node.value) is type(word) else None
    return bool(said == word)


def _all(place: ast.AST, kind: type[Node]) -> Iterator[Node]:
    return (node for node in ast.walk(place) if isinstance(node, kind))


def _only(found: Iterable[Node], what: str) -> Node:
    fitting = list(found)
    if len(fitting) != 1:
        raise ValueError(f"{len(fitting)} places, not one: {what}")
    return fitting[0]
