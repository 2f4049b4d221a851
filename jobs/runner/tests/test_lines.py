"""Tests of how a line is read; tests/readers-agree.test.ts compares it with the reader in TypeScript."""

import pytest
from lakehouse_runner.lines import MAX_LINE_BYTES, LineJudge, Record, Refusal, raw_of
from lakehouse_runner.manifest import Column

COLUMNS = {
    "who": Column("text", False, ("WhoElse",)),
    "n": Column("int", True, (), 0, 99),
    "x": Column("double", True, (), -16, 16.5),
    "at": Column("epochMillis", True, (), 946684800000, None),
    "day": Column("isoDate", True),
}


def judge(line: str | bytes) -> Record | Refusal | None:
    """Judge a line by the contract above."""
    return LineJudge(COLUMNS).judge(line.encode() if isinstance(line, str) else line)


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ('{"who":"a"}', ("a", None, None, None, None)),
        ('\t {"who":"a"} , \v\f', ("a", None, None, None, None)),
        ('{"x":1,"WHO":"a","n":2,"extra":[{}]}', ("a", 2, 1.0, None, None)),
        ('{"whoelse":"a","n":null}', ("a", None, None, None, None)),
        ('{"who":"a","who":"a"}', ("a", None, None, None, None)),
        ('{"who":"\\u00e9\\ud83d\\ude00"}', ("é\U0001f600", None, None, None, None)),
        ('{"who":"a","n":-0,"x":1e-3,"at":1655564444103}', ("a", 0, 0.001, 1655564444103, None)),
        ('{"who":"a","day":"967-02-28"}', ("a", None, None, None, "967-02-28")),
        ('{"who":"a","day":"2000-02-29"}', ("a", None, None, None, "2000-02-29")),
        ('{"who":"a","x":16.5}', ("a", None, 16.5, None, None)),
    ],
)
def test_good_lines(line: str, record: Record) -> None:
    """A good line gives its values, whole numbers as such."""
    found = judge(line)
    assert found == record
    assert [type(value) for value in found or ()] == [type(value) for value in record]


@pytest.mark.parametrize("line", ["", " ", "\t\f\v "])
def test_blank_lines(line: str) -> None:
    """A blank line is no line."""
    assert judge(line) is None


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ("who", "NOT_JSON", "the line does not begin with {"),
        ("NaN", "NOT_JSON", "the line does not begin with {"),
        ("\ufeff{}", "NOT_JSON", "the line does not begin with {"),
        ("[1],", "NOT_AN_OBJECT", "a JSON array; a line holds one object"),
        ("1e5", "NOT_AN_OBJECT", "a JSON value; a line holds one object"),
        ('{"who":"a"', "TRUNCATED", "the object is not closed"),
        ('{"who":"a\\"}', "TRUNCATED", "the object is not closed"),
        ('{"who":"\U0001f600"}}', "TRAILING_TEXT", "text after the object, from column 13"),
        ('{"who":"a","x":NaN}', "NOT_JSON", "the braces close, but what is between them is not JSON"),
        ('{"who":"a\t"}', "NOT_JSON", "the braces close, but what is between them is not JSON"),
        ('{"who":"a","x":[1,{"a":1,"a":2,}]}', "DUPLICATE_KEY", "a key stands twice with different values"),
        ('{"who":"a","x":1,"x":1.0}', "DUPLICATE_KEY", "a key stands twice with different values"),
        ('{"who":"a","x":2,"x":1.5.}', "DUPLICATE_KEY", "a key stands twice with different values"),
        ('{"who":"a","x":2,"x":1.}', "NOT_JSON", "the braces close, but what is between them is not JSON"),
        ('{"who":"a","x":2,"x":1e+}', "NOT_JSON", "the braces close, but what is between them is not JSON"),
        ('{"who":"a","WHOELSE":"a"}', "DUPLICATE_KEY", '"who" and "WHOELSE" both stand for who'),
        ("{}", "MISSING_REQUIRED", "who is missing"),
        ('{"who":null}', "MISSING_REQUIRED", "who is null"),
        ('{"who":""}', "MISSING_REQUIRED", "who is empty"),
        ('{"who":true}', "WRONG_TYPE", "who should be a string, found boolean"),
        ('{"who":"a","n":"1"}', "WRONG_TYPE", "n should be a number, found string"),
        ('{"who":"a","n":1e1}', "WRONG_TYPE", "n should be a whole number"),
        ('{"who":"a","n":1.0}', "WRONG_TYPE", "n should be a whole number"),
        ('{"who":"a","n":\u0661}', "NOT_JSON", "the braces close, but what is between them is not JSON"),
        ("\x1c", "NOT_JSON", "the line does not begin with {"),
        ('{"who":"a","day":"1900-02-29"}', "WRONG_TYPE", "day should be a day written YYYY-MM-DD"),
        ('{"who":"a","day":"0000-01-01"}', "WRONG_TYPE", "day should be a day written YYYY-MM-DD"),
        ('{"who":"\\ud83d"}', "INVALID_ENCODING", "who holds a NUL or half a surrogate pair"),
        (b'{"who":"\xe9"}', "INVALID_ENCODING", "not UTF-8"),
        ('{"who":"a","x":1e999}', "OUT_OF_RANGE", "x should be between -16 and 16.5"),
        ('{"who":"a","n":100}', "OUT_OF_RANGE", "n should be between 0 and 99"),
        (
            '{"who":"a","at":9007199254740993}',
            "OUT_OF_RANGE",
            "at should be between 946684800000 and 9007199254740991",
        ),
        (b" " * (MAX_LINE_BYTES + 1), "LINE_TOO_LONG", "longer than 1048576 bytes"),
    ],
)
def test_refused_lines(line: str | bytes, reason: str, detail: str) -> None:
    """Every other line is refused for one reason."""
    assert judge(line) == Refusal(reason, detail)


@pytest.mark.parametrize("key", ["\u212aing", "K\u0130ng"])
def test_only_ascii_letters_have_two_cases(key: str) -> None:
    """Whatever the version of Unicode is, a key means the same."""
    judge = LineJudge({"king": Column("text", True)})
    assert judge.judge(f'{{"{key}":"a"}}'.encode()) == (None,)
    assert judge.judge(b'{"KiNG":"a"}') == ("a",)


def test_nesting_has_a_limit() -> None:
    """No line exhausts the stack."""
    arrays = "[" * 199 + "]" * 199
    assert judge(f'{{"who":"a","extra":{arrays},"extra":{arrays}}}') == ("a", None, None, None, None)
    deep = Refusal("NOT_JSON", "nested deeper than 200 levels")
    assert judge(f'{{"who":"a","extra":[{arrays}]}}') == deep
    assert judge('{"a":' * 200_000) == deep
    assert judge("[" * 1_000_000) == deep


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("[]", "{}", True),
        ("[1]", '{"0":1}', True),
        ("[1]", "[1,2]", False),
        ("1", '{"isLosslessNumber":true,"value":"1"}', True),
        ("1", "true", False),
        ('"1"', "1", False),
        ('{"__proto__":{}}', "{}", True),
        ('{"__proto__":[]}', "[]", True),
        ('{"__proto__":{"__proto__":null}}', "{}", True),
        ('{"__proto__":null}', "{}", False),
        ('{"toString":null}', "{}", False),
    ],
)
def test_equal_values_of_one_key(one: str, other: str, same: bool) -> None:
    """A key may stand twice where lossless-json takes its values as equal."""
    for first, second in ((one, other), (other, one)):
        found = judge(f'{{"who":"a","extra":{first},"extra":{second}}}')
        assert isinstance(found, Refusal) is not same


def test_raw_is_the_text_as_far_as_quarantine_keeps_it() -> None:
    """The raw text is cut between characters, and Latin-1 where it is no UTF-8."""
    assert raw_of(" é\t".encode()) == " é\t"
    assert raw_of(b"\xe9\xff") == "éÿ"
    assert raw_of(b"x" * 70_000) == "x" * 65_536
    assert raw_of(("x" + "\U0001f600" * 40_000).encode()) == "x" + "\U0001f600" * 32_767 + "\ufffd"
    long = ("x" + "€" * 400_000).encode()
    assert raw_of(long) == ("x" + "€" * 400_000)[:65_536]
    assert raw_of(b"\xbf" * (MAX_LINE_BYTES + 1)) == "¿" * 65_536
