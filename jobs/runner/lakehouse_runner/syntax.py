"""What is wrong with a job's Python by its text. It needs no Spark: `lake check` runs it as a program."""

import ast
import json
import sys
from collections.abc import Iterator, Sequence


def faults_in(code: str, inputs: Sequence[str], parameters: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Tell what is wrong with the code of a job that has these inputs and parameters, each with its line."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        what = error.msg if isinstance(error, SyntaxError) else error
        yield line or 1, f"is not Python that can be read: {what}"
        return
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "transform"]
    if not functions:
        yield 1, "has no function transform(inputs, parameters) that returns the rows of the table"
        return
    function = functions[-1]
    arguments = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if len(arguments) != 2:
        yield (
            function.lineno,
            f"transform takes two arguments, inputs and parameters; here it has {len(arguments)}",
        )
        return
    declared = {arguments[0]: ("input", inputs), arguments[1]: ("parameter", parameters)}
    for node in ast.walk(function):
        if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)):
            continue
        kind, names = declared.get(node.value.id, ("", ()))
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if kind and isinstance(name, str) and name not in names:
            yield node.lineno, undeclared(f'"{name}"', kind, names)


def undeclared(what: str, kind: str, names: Sequence[str]) -> str:
    """Say that a job reads what it does not declare."""
    there_are = f"its {kind}s are {', '.join(names)}" if names else f"it has no {kind}"
    return f"reads {what}, which the job does not declare: {there_are}; add it to them, or mend the name"


if __name__ == "__main__":
    json.dump(list(faults_in(**json.load(sys.stdin))), sys.stdout)
